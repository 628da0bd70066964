#include "query/bulk_copy.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <sluice/proto/oid.hpp>

#include "query/quoting.hpp"
#include "query/result_shape.hpp"
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

/// The one-column query with that column as text. It uses the type's own output function, as without COPY, because for
/// some types a cast to text does something else. For jsonb the two are the same.
std::string as_text(std::string_view query, std::uint32_t type) {
  const std::string_view text =
      type == proto::oid::jsonb
          ? "q.document::pg_catalog.text"
          : "case when q.document is distinct from null then pg_catalog.format('%s', q.document) end";
  return "with q(document) as (" + std::string{without_end(query)} + "\n) select " + std::string{text} + " from q";
}

std::string_view text_of(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
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

/// Determines the names of the parameter types, asking the server where necessary, and writes the COPY.
class copy_decider final : public wire::decider {
 public:
  copy_decider(const query& what, const std::vector<bool>& are_null)
      : text_{what.text()},
        rows_{what.rows()},
        table_{what.whole() == nullptr ? std::string{} : what.whole()->source()} {
    for (const bool is_null : are_null) parameters_.push_back({.is_null = is_null});
  }

  wire::decision described(const wire::description& what) override {
    if (what.columns == nullptr) return not_copied("COPY needs a query that gives rows");
    if (what.parameters.size() != parameters_.size()) return not_copied("not as many parameters as were named");
    if (rows_ == query::shape::detect)
      rows_ = is_document(*what.columns) ? query::shape::document : query::shape::object;
    if (rows_ == query::shape::document && what.columns->size() != 1) return wire::refuse_columns(what.columns->size());
    if (!parameters_.empty())  // otherwise a column that is a parameter would get a different name
      for (const proto::column& each : *what.columns)
        names_ += (names_.empty() ? "" : ", ") + quote_identifier(each.name);
    first_type_ = what.columns->empty() ? 0 : what.columns->begin()->type;
    auto to = parameters_.begin();
    for (const std::uint32_t type : what.parameters) {
      to->type = type;
      if (const std::string_view name = proto::oid::name_of(type); !name.empty())
        to->type_name = "pg_catalog." + std::string{name};
      ++to;
    }
    if (unnamed() == parameters_.end()) return copied();
    is_asking_ = true;
    return {.is = wire::decision::kind::ask, .sql = names_of_types(parameters_)};
  }

  bool told(const proto::data_row& row) override {
    if (is_asking_) return told_name(row);
    const auto first = row.size() == 1 ? *row.begin() : std::nullopt;
    is_table_ = first && text_of(*first) == "t";  // the last row counts; that of a timeout comes before it
    return true;
  }

  wire::decision answered() override {
    const auto none = unnamed();
    if (none != parameters_.end())
      return not_copied(
          "the type of $" + std::to_string(none - parameters_.begin() + 1) + " has no name, which bulk mode needs",
          errc::bad_query);
    return copied();
  }

 private:
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
      if (std::to_string(each.type) == text_of(*oid)) each.type_name = text_of(*name);
    return true;
  }

  [[nodiscard]] wire::decision copied() const {
    if (is_table_ && is_text(first_type_))
      return {.is = wire::decision::kind::copy, .sql = "copy " + table_ + " to stdout (format binary)"};
    std::string all = with_settings(text_, parameters_);
    if (rows_ == query::shape::object) all = as_objects(all, names_);
    if (rows_ == query::shape::document && !is_text(first_type_)) all = as_text(all, first_type_);
    return {.is = wire::decision::kind::copy,
            .sql = "copy (" + std::string{without_end(all)} + "\n) to stdout (format binary)"};
  }

  std::string text_;
  query::shape rows_;
  std::string table_;  // a table whose COPY may give the same result
  std::vector<parameter> parameters_;
  std::string names_;           // of the columns, quoted
  std::uint32_t first_type_{};  // of the first column
  bool is_table_{false};        // its COPY gives the same result
  bool is_asking_{false};       // for the names of types
};

}  // namespace

bulk_copy::bulk_copy(const query& what, std::span<const proto::parameter> values) : what_{what} {
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
  if (what.whole() != nullptr) question_ = what.whole()->check();
}

void bulk_copy::make_copy(wire::statement& of) const {
  of.decides = [this](const wire::statement&) { return std::make_unique<copy_decider>(what_, are_null_); };
  of.question = question_;
  of.before_copy = {.sql = carrying_, .types = carried_types_, .values = carried_};
  of.is_copied = true;
}

}  // namespace sluice::detail
