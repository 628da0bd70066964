#include "query/bulk_copy.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <sluice/proto/oid.hpp>

#include "query/answer_text.hpp"
#include "query/quoting.hpp"
#include "query/result_shape.hpp"
#include "query/sql_effect.hpp"
#include "query/sql_parameters.hpp"
#include "query/whole_table.hpp"

namespace sluice::detail {

namespace {

std::string setting(std::size_t number) { return "'sluice.parameter_" + std::to_string(number) + '\''; }

/// Types whose binary format is identical to their text.
bool is_text(std::uint32_t type) noexcept {
  namespace oid = proto::oid;
  return type == oid::json || type == oid::text || type == oid::varchar;
}

/// The column as text. It uses the type's own output function, as without COPY, because for some types a cast to text
/// does something else. For jsonb the two are the same.
std::string as_text(const std::string& column, std::uint32_t type) {
  if (type == proto::oid::jsonb) return column + "::pg_catalog.text";
  return "case when " + column + " is distinct from null then pg_catalog.format('%s', " + column + ") end";
}

/// "c1, c2, ..."
std::string numbered(std::size_t count) {
  std::string names;
  for (std::size_t i = 1; i <= count; ++i) names.append(i == 1 ? "c" : ", c").append(std::to_string(i));
  return names;
}

/// A query parameter whose value travels in a setting.
struct parameter {
  bool is_null{};
  std::uint32_t type{};     // OID
  std::string type_name{};  // as SQL, with its schema
};

/// The query with its parameters read from the settings that carry their values.
std::string with_settings(std::string_view query, const std::vector<parameter>& parameters) {
  return with_parameters(query, parameters.size(), backslashes::ordinary, [&](std::size_t number) {
    const parameter& each = parameters[number - 1];
    if (each.is_null) return "(null::" + each.type_name + ')';
    const std::string value = "pg_catalog.current_setting(" + setting(number) + ')';
    // This cast from text is a function that accepts less than the type's input does.
    if (each.type_name == "pg_catalog.regclass")
      return "(pg_catalog.regclassin(pg_catalog.textout(" + value + "))::pg_catalog.regclass)";
    // Not a bare function call: a column would be named after the function.
    return "((" + value + infix("||") + "''::pg_catalog.text)::" + each.type_name + ')';
  });
}

/// SQL that returns the OID and the name, schema-qualified and quoted, of each type whose name is still unknown.
std::string names_of_types(const std::vector<parameter>& parameters) {
  std::string types;
  for (const parameter& each : parameters)
    if (each.type_name.empty()) types += (types.empty() ? "" : ",") + std::to_string(each.type);
  return "select t.oid, pg_catalog.concat(pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(t.typname)) "
         "from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) t.typnamespace "
         "where t.oid operator(pg_catalog.=) any ('{" +
         types + "}'::pg_catalog.oid[])";
}

wire::decision not_copied(std::string why, errc code = errc::unsupported_result) {
  return {.is = wire::decision::kind::refuse, .sql = std::move(why), .code = code};
}

/// Determines the types of the columns and the names of the parameter types, asking the server where necessary, and
/// writes the COPY.
class copy_decider final : public wire::decider {
 public:
  copy_decider(const query& what, const std::vector<bool>& are_null, std::shared_ptr<result_shape> rows)
      : text_{what.text()},
        wanted_{what.rows()},
        rows_{std::move(rows)},
        types_{rows_},
        table_{what.whole() == nullptr ? std::string{} : what.whole()->source()} {
    for (const bool is_null : are_null) parameters_.push_back({.is_null = is_null});
  }

  wire::decision described(const wire::description& what) override {
    if (what.columns == nullptr) return without_rows();
    if (!can_be_copied(text_))
      return not_copied(
          "in bulk mode, a statement is SELECT, TABLE, VALUES, WITH, or one that writes and returns rows: read this "
          "one in another mode");
    if (what.parameters.size() != parameters_.size()) return not_copied("not as many parameters as were named");
    columns_ = *what.columns;
    if (wanted_ == query::shape::document)
      if (std::string why = refuse_documents_of(columns_); !why.empty()) return not_copied(std::move(why));
    auto to = parameters_.begin();
    for (const std::uint32_t type : what.parameters) {
      to->type = type;
      if (const std::string_view name = proto::oid::name_of(type); !name.empty())
        to->type_name = "pg_catalog." + std::string{name};
      ++to;
    }
    if (rows_ != nullptr && rows_->is_document(columns_)) rows_->documents();
    if (rows_ != nullptr && !rows_->is_known()) {
      if (std::optional<wire::decision> question = types_.ask(columns_)) {
        asking_ = about::columns;
        return *std::move(question);
      }
    }
    return name_parameters();
  }

  bool told(const proto::data_row& row) override {
    switch (asking_) {
      case about::columns: return types_.told(row);
      case about::parameters: return told_name(row);
      case about::what_is_beside_it: break;
    }
    if (table_.empty()) return rows_ == nullptr || types_.told(row);
    const auto first = row.size() == 1 ? *row.begin() : std::nullopt;
    is_table_ = text_in(first) == "t";  // the last row counts; that of a timeout comes before it
    return true;
  }

  wire::decision answered() override {
    if (asking_ == about::columns) {
      types_.answered(columns_);
      return name_parameters();
    }
    const auto none = unnamed();
    if (none != parameters_.end())
      return not_copied(
          "the type of $" + std::to_string(none - parameters_.begin() + 1) + " has no name, which bulk mode needs",
          errc::bad_query);
    return copied();
  }

 private:
  enum class about : std::uint8_t { what_is_beside_it, columns, parameters };

  wire::decision without_rows() try {
    if (rows_ != nullptr) rows_->nothing();
    return not_copied("COPY needs a query that gives rows");
  } catch (const error& refusal) {
    return refused_by(refusal);
  }

  wire::decision name_parameters() {
    if (unnamed() == parameters_.end()) return copied();
    asking_ = about::parameters;
    return {.is = wire::decision::kind::ask, .sql = names_of_types(parameters_)};
  }

  [[nodiscard]] std::vector<parameter>::const_iterator unnamed() const {
    return std::ranges::find_if(parameters_, &std::string::empty, &parameter::type_name);
  }

  bool told_name(const proto::data_row& row) {
    if (row.size() != 2) return false;
    auto field = row.begin();
    const auto oid = *field;
    const auto name = *++field;
    if (!oid || !name) return false;
    for (parameter& each : parameters_)
      if (std::to_string(each.type) == text_in(oid)) each.type_name = text_in(name);
    return true;
  }

  [[nodiscard]] wire::decision copied() {
    const std::string all = with_settings(text_, parameters_);
    if (rows_ != nullptr && !rows_->is_known()) return objects_copied(all);
    if (wanted_ == query::shape::columns) return copy_of(all);
    if (wanted_ == query::shape::text_columns) return columns_copied(all, formats_of_texts());
    const std::uint32_t type = columns_.front().type;
    if (is_text(type))
      return is_table_ ? wire::decision{.is = wire::decision::kind::copy,
                                        .sql = "copy " + table_ + " to stdout (format binary)"}
                       : copy_of(all);
    return copy_of(select_from(all, as_text("c1", type), "c1"));
  }

  /// As columns, in binary: those whose values are needed as text become texts.
  [[nodiscard]] wire::decision objects_copied(const std::string& all) try {
    const std::vector<proto::value_format> formats = rows_->plan(columns_);
    if (rows_->falls_short() && rows_->has_places()) {
      const std::string by_the_server = rows_->leave_to_the_server(all, columns_);
      return by_the_server.empty() ? copy_of({}) : columns_copied(by_the_server, rows_->plan(columns_));
    }
    if (rows_->falls_short()) {
      wire::decision by_the_server = copy_of(select_from(all, objects_by_the_server, names()));
      by_the_server.columns = one_document();
      if (by_the_server.is == wire::decision::kind::copy) rows_->documents();
      return by_the_server;
    }
    return columns_copied(all, formats);
  } catch (const error& choice) {
    return refused_by(choice);
  }

  [[nodiscard]] std::vector<proto::value_format> formats_of_texts() const {
    std::vector<proto::value_format> formats;
    for (const result_column& each : columns_)
      formats.push_back(is_text(each.type) ? proto::value_format::binary : proto::value_format::text);
    return formats;
  }

  [[nodiscard]] wire::decision columns_copied(const std::string& all,
                                              const std::vector<proto::value_format>& formats) const {
    if (std::ranges::find(formats, proto::value_format::text) == formats.end()) return copy_of(all);
    std::string list;
    for (std::size_t i = 0; i < formats.size(); ++i) {
      const std::string column = 'c' + std::to_string(i + 1);
      list.append(i == 0 ? "" : ", ");
      list.append(formats[i] == proto::value_format::binary ? column : as_text(column, columns_[i].type));
    }
    return copy_of(select_from(all, list, numbered(formats.size())));
  }

  /// Of the columns. A column that is a parameter would have another name than was described.
  [[nodiscard]] std::string names() const {
    std::string names;
    for (const result_column& each : columns_) names += (names.empty() ? "" : ", ") + quote_identifier(each.name);
    return names;
  }

  [[nodiscard]] static wire::decision copy_of(std::string_view all) {
    if (all.empty())
      return not_copied("in bulk mode, a statement like this one can only return columns that need no conversion");
    return {.is = wire::decision::kind::copy,
            .sql = "copy (" + std::string{without_end(all)} + "\n) to stdout (format binary)"};
  }

  std::string text_;
  query::shape wanted_;
  std::shared_ptr<result_shape> rows_;
  asking_for_types types_;
  std::string table_;  // a table whose COPY may give the same result
  std::vector<parameter> parameters_;
  result_columns columns_;
  about asking_{about::what_is_beside_it};
  bool is_table_{false};  // its COPY gives the same result
};

}  // namespace

bulk_copy::bulk_copy(const query& what, std::span<const proto::parameter> values, std::shared_ptr<result_shape> rows)
    : what_{what}, rows_{std::move(rows)} {
  for (std::size_t i = 0; i < values.size(); ++i) {
    are_null_.push_back(!values[i].value);
    if (!values[i].value) continue;
    carried_.push_back(values[i]);
    carried_types_.push_back(values[i].binary ? proto::oid::bytea : proto::oid::text);
    carrying_ += (carrying_.empty() ? "select " : ", ") + ("pg_catalog.set_config(" + setting(i + 1)) + ", $" +
                 std::to_string(carried_.size()) + "::pg_catalog.text, true)";
  }
  // Only validates the text.
  (void)with_parameters(what.text(), values.size(), backslashes::ordinary, [](std::size_t) { return std::string{}; });
  if (what.whole() != nullptr)
    question_ = what.whole()->check();
  else if (rows_ != nullptr)
    question_ = rows_->question();
}

void bulk_copy::make_copy(wire::statement& of) const {
  of.decides = [this] { return std::make_unique<copy_decider>(what_, are_null_, rows_); };
  of.question = question_;
  of.before_copy = {.sql = carrying_, .types = carried_types_, .values = carried_};
  of.is_copied = true;
}

}  // namespace sluice::detail
