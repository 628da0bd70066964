#include "query/result_shape.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include <simdjson.h>

#include <sluice/proto/oid.hpp>

#include "query/answer_text.hpp"
#include "query/sql_effect.hpp"
#include "query/sql_parameters.hpp"

namespace sluice::detail {

namespace {

bool is_json(std::uint32_t type) noexcept { return type == proto::oid::json || type == proto::oid::jsonb; }

/// A row of the answer to `type_catalog::question_about`.
std::optional<type_catalog::answer> read(const proto::data_row& row) {
  std::vector<std::string_view> fields(row.size());
  std::ranges::transform(row, fields.begin(), text_in);
  return type_catalog::read(fields);
}

class object_decider final : public wire::decider {
 public:
  object_decider(std::shared_ptr<result_shape> rows, std::string_view text)
      : rows_{std::move(rows)}, text_{text}, types_{rows_} {}

  wire::decision described(const wire::description& what) override {
    if (what.columns == nullptr) return without_rows();
    if (rows_->is_document(*what.columns)) {
      rows_->documents();
      return {};
    }
    columns_ = *what.columns;
    is_running_ = what.is_running;
    if (std::optional<wire::decision> question = types_.ask(columns_)) return *std::move(question);
    return decided();
  }

  bool told(const proto::data_row& row) override { return types_.told(row); }

  wire::decision answered() override {
    types_.answered(columns_);
    wire::decision how = decided();
    if (how.is == wire::decision::kind::as_it_is) how.sql = text_;
    return how;
  }

 private:
  wire::decision without_rows() try {
    rows_->nothing();
    return {};
  } catch (const error& refusal) {
    return refused_by(refusal);
  }

  wire::decision decided() try {
    if (is_running_) {
      rows_->plan_text(columns_);
      return {};
    }
    wire::decision how{.formats = rows_->plan(columns_)};
    if (!rows_->falls_short()) return how;
    if (rows_->has_places()) return values_by_the_server(std::move(how));
    std::string by_the_server = select_from(text_, objects_by_the_server);
    if (by_the_server.empty()) return how;
    rows_->documents();
    return {.is = wire::decision::kind::instead, .sql = std::move(by_the_server), .columns = one_document()};
  } catch (const error& choice) {
    return refused_by(choice);
  }

  wire::decision values_by_the_server(wire::decision otherwise) {
    std::string sql = rows_->leave_to_the_server(text_, columns_);
    if (sql.empty()) return otherwise;
    std::vector<proto::value_format> formats = rows_->plan(columns_);
    return {
        .is = wire::decision::kind::instead, .sql = std::move(sql), .formats = std::move(formats), .columns = columns_};
  }

  std::shared_ptr<result_shape> rows_;
  std::string text_;
  asking_for_types types_;
  result_columns columns_;
  bool is_running_{false};
};

template <class Columns>
std::string refuse_others(const Columns& columns) {
  if (columns.size() != 1)
    return "the query gives " + std::to_string(columns.size()) +
           " columns where one document per row was asked for: let them become an object";
  const auto& only = *columns.begin();
  if (is_json(only.type)) return {};
  return "the column \"" + std::string{only.name} +
         "\" is neither json nor jsonb, where documents were asked for: cast it, or let it become an object";
}

}  // namespace

database_types& types_of(wire::session& on) {
  if (on.memory == nullptr) on.memory = std::make_unique<database_types>();
  return static_cast<database_types&>(*on.memory);
}

void database_types::remember_without_documents(const std::string& query) {
  constexpr std::size_t most = 256;
  if (without_documents_.size() == most) without_documents_.clear();
  without_documents_.insert(query);
}

result_shape::result_shape(wire::session& on, query::shape wanted, std::shared_ptr<const place_list> places)
    : types_{types_of(on)},
      wanted_{wanted},
      places_{std::move(places)},
      reported_{session_settings::of(on.server.parameter("TimeZone"), on.server.parameter("DateStyle"))} {}

result_shape::result_shape(wire::session& on, std::shared_ptr<const format_choice> choice,
                           std::shared_ptr<const columns_check> check)
    : types_{types_of(on)},
      wanted_{query::shape::chosen_columns},
      choice_{std::move(choice)},
      check_{std::move(check)} {}

void result_shape::nothing() {
  is_ = state::documents;
  if (check_ != nullptr) (*check_)({});
}

std::vector<std::uint32_t> result_shape::missing(const result_columns& columns) const {
  std::vector<std::uint32_t> types;
  for (const result_column& each : columns) types.push_back(each.type);
  return types_.known.missing(types);
}

bool result_shape::is_document(const result_columns& columns) const noexcept {
  return wanted_ == query::shape::detect && columns.size() == 1 && is_json(columns.front().type);
}

std::vector<proto::value_format> result_shape::choose(const result_columns& columns) {
  std::vector<proto::value_format> formats;
  columns_ = columns;
  for (result_column& each : columns_) {
    types_.known.describe(each);
    each.is_text = (*choice_)(each);
    formats.push_back(each.is_text ? proto::value_format::text : proto::value_format::binary);
  }
  if (check_ != nullptr) (*check_)(columns_);
  is_ = state::columns;
  return formats;
}

session_settings result_shape::settings() const noexcept {
  session_settings all = reported_;
  types_.unreported.put_into(all);
  return all;
}

std::vector<proto::value_format> result_shape::plan(const result_columns& columns) {
  if (choice_ != nullptr) return choose(columns);
  const session_settings all = settings();
  std::vector<proto::value_format> formats;
  for (const result_column& each : columns) {
    value_plan values = plan_values(each.type, types_.known, all);
    formats.push_back(values.format);
    add(each, std::move(values));
  }
  is_ = state::objects;
  return formats;
}

void result_shape::plan_text(const result_columns& columns) {
  for (const result_column& each : columns) add(each, plan_text_values(each.type, types_.known, reported_));
  is_ = state::objects;
}

void result_shape::add(const result_column& column, value_plan values) {
  if (!simdjson::validate_utf8(column.name.data(), column.name.size()))
    throw error{errc::protocol_violation, "a column's name is not UTF-8"};
  const std::size_t index = short_ones_.size();
  short_ones_.push_back(values.falls_short);
  falls_short_ = falls_short_ || values.falls_short;
  if (places_ == nullptr || index >= places_->of_columns.size())
    objects_.add_column(column.name, std::move(values));
  else
    objects_.add_column(places_->of_columns[index], std::move(values));
}

std::string result_shape::leave_to_the_server(std::string_view query, result_columns& columns) {
  std::string list;
  std::string names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string name = 'c' + std::to_string(i + 1);
    const std::string separator = i == 0 ? "" : ", ";
    names += separator + name;
    list += separator + (short_ones_[i] ? "pg_catalog.to_json(" + name + ')' : name) + " as " +
            quote_identifier(columns[i].name);
  }
  std::string text = select_from(query, list, names);
  if (text.empty()) return {};
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (short_ones_[i]) columns[i] = {.name = columns[i].name, .type = proto::oid::json};
  objects_ = {};
  short_ones_.clear();
  falls_short_ = false;
  return text;
}

wire::decision refused_by(const error& choice) {
  return {.is = wire::decision::kind::refuse, .sql = choice.what(), .code = static_cast<errc>(choice.code().value())};
}

std::unique_ptr<wire::decider> decide_objects(std::shared_ptr<result_shape> rows, std::string_view query) {
  return std::make_unique<object_decider>(std::move(rows), query);
}

std::string refuse_documents(const proto::row_description& columns) { return refuse_others(columns); }
std::string refuse_documents_of(const result_columns& columns) { return refuse_others(columns); }

std::optional<wire::decision> asking_for_types::ask(const result_columns& columns) {
  asked_ = rows_->missing(columns);
  told_ = {};
  told_bytes_ = 0;
  if (asked_.empty()) return std::nullopt;
  return wire::decision{.is = wire::decision::kind::ask, .sql = type_catalog::question_about(asked_)};
}

bool asking_for_types::told(const proto::data_row& row) {
  if (asked_.empty()) {
    rows_->told(row);
    return true;
  }
  const std::optional<type_catalog::answer> answer = read(row);
  if (!answer || !simdjson::validate_utf8(answer->field.data(), answer->field.size())) return false;
  // Of a real database these are a few hundred bytes; the values of 10,000 fields and more would not be taken apart.
  constexpr std::size_t most = 32U << 20U;
  constexpr std::size_t of_a_row = 100;
  told_bytes_ += of_a_row + answer->field.size();
  if (told_bytes_ > most) return false;
  told_.add(*answer);
  return true;
}

void asking_for_types::answered(const result_columns& columns) {
  rows_->types().add(std::move(told_));
  for (const std::uint32_t each : rows_->missing(columns)) rows_->types().add(each, {});
}

result_columns one_document() { return {{.name = "row_to_json", .type = proto::oid::json}}; }

std::string select_from(std::string_view query, std::string_view what, std::string_view names) {
  const std::string named = names.empty() ? "q" : "q(" + std::string{names} + ')';
  const std::string inner = '(' + std::string{without_end(query)} + "\n)";
  switch (how_to_enclose(query)) {
    case enclosing::none: break;
    case enclosing::as_subquery: return "select " + std::string{what} + " from " + inner + ' ' + named;
    case enclosing::as_cte: return "with " + named + " as " + inner + " select " + std::string{what} + " from q";
  }
  return {};
}

}  // namespace sluice::detail
