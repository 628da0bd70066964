#pragma once
// What the rows of a result become: documents as they come, or objects made of their columns.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/stream/query.hpp>
#include <sluice/wire/result_columns.hpp>

#include "engine/decider.hpp"
#include "engine/session.hpp"
#include "json/object_writer.hpp"
#include "json/type_facts.hpp"
#include "query/place_list.hpp"
#include "query/unreported_settings.hpp"

namespace sluice::detail {

/// The column of a relation's documents, unless the caller names another.
inline constexpr std::string_view default_column{"data"};

/// What is known about a connection's database.
class database_types final : public wire::reader_memory {
 public:
  type_catalog known;
  unreported_settings unreported;

  /// The relation of this query has no column with documents.
  void remember_without_documents(const std::string& query);
  /// It may have one by now.
  void forget_without_documents(const std::string& query) { without_documents_.erase(query); }
  [[nodiscard]] bool is_without_documents(const std::string& query) const { return without_documents_.contains(query); }

 private:
  std::set<std::string> without_documents_;
};
[[nodiscard]] database_types& types_of(wire::session& on);

/// How the rows of one result become documents, or in which formats their columns come, once that is decided.
class result_shape {
 public:
  /// @param places  null: each column under its name
  result_shape(wire::session& on, query::shape wanted, std::shared_ptr<const place_list> places = {});
  /// Of columns in chosen formats.
  /// @param check  null: none
  result_shape(wire::session& on, std::shared_ptr<const format_choice> choice,
               std::shared_ptr<const columns_check> check);

  /// Types that have to be asked about before `plan` is called.
  [[nodiscard]] std::vector<std::uint32_t> missing(const result_columns& columns) const;
  [[nodiscard]] type_catalog& types() const noexcept { return types_.known; }
  /// SQL that is to be run before the query, in the same flight; empty: nothing is to be asked.
  [[nodiscard]] std::string_view question() const noexcept {
    return choice_ == nullptr && types_.unreported.are_to_be_asked() ? unreported_settings::question
                                                                     : std::string_view{};
  }
  /// Takes a row of the answer, or of another statement in the same message group.
  void told(const proto::data_row& row) noexcept { types_.unreported.told(row); }

  [[nodiscard]] bool is_known() const noexcept { return is_ != state::unknown; }
  /// Whether documents are made of the columns; otherwise they come as they are.
  [[nodiscard]] bool makes_objects() const noexcept { return is_ == state::objects; }
  [[nodiscard]] object_writer& objects() noexcept { return objects_; }
  /// The columns in chosen formats, with what is known about their types; null for documents.
  [[nodiscard]] const result_columns* columns() const noexcept { return is_ == state::columns ? &columns_ : nullptr; }

  /// A single column of type json or jsonb is a document as it is, unless an object was asked for.
  [[nodiscard]] bool is_document(const result_columns& columns) const noexcept;
  void documents() noexcept { is_ = state::documents; }
  /// There are no columns, and no rows.
  /// @par Errors  throws what the check throws
  void nothing();
  /// Objects of these columns, or the columns themselves.
  /// @return the formats that they have to be asked for in
  /// @par Errors  throws what the choice throws
  std::vector<proto::value_format> plan(const result_columns& columns);
  /// Objects of these columns, all of which come in text.
  void plan_text(const result_columns& columns);
  /// Whether some values would be written otherwise than the server's row_to_json does, which can make the objects.
  [[nodiscard]] bool falls_short() const noexcept { return falls_short_; }
  /// Whether the columns have places of their own in the objects, which the server's row_to_json does not know.
  [[nodiscard]] bool has_places() const noexcept { return places_ != nullptr; }
  /// The query with the values that fall short as json, which the server makes of them: these columns have to be
  /// planned anew.
  /// @return empty: it cannot stand in another query
  [[nodiscard]] std::string leave_to_the_server(std::string_view query, result_columns& columns);

 private:
  enum class state : std::uint8_t { unknown, documents, objects, columns };

  std::vector<proto::value_format> choose(const result_columns& columns);
  [[nodiscard]] session_settings settings() const noexcept;
  void add(const result_column& column, value_plan values);

  database_types& types_;
  query::shape wanted_;
  std::shared_ptr<const place_list> places_;
  session_settings reported_;
  state is_{state::unknown};
  bool falls_short_{false};
  std::vector<bool> short_ones_{};  // of the columns
  object_writer objects_{};
  std::shared_ptr<const format_choice> choice_{};
  std::shared_ptr<const columns_check> check_{};
  result_columns columns_{};
};

/// Asks the server's catalog about the types of a result, as a decider does.
class asking_for_types {
 public:
  explicit asking_for_types(std::shared_ptr<result_shape> rows) noexcept : rows_{std::move(rows)} {}

  /// @return the question, or nothing: all is known
  [[nodiscard]] std::optional<wire::decision> ask(const result_columns& columns);
  [[nodiscard]] bool told(const proto::data_row& row);
  /// The answer is complete. A type that it lacks was dropped meanwhile: its values are taken for texts.
  void answered(const result_columns& columns);

 private:
  std::shared_ptr<result_shape> rows_;
  std::vector<std::uint32_t> asked_{};
  type_catalog told_{};  // until the answer is complete
  std::size_t told_bytes_{0};
};

/// What a decider answers when a format_choice or a columns_check throws: the query is not run.
[[nodiscard]] wire::decision refused_by(const error& choice);

/// Decides how a query is run whose rows become objects; what it decides about them, it tells `rows`.
[[nodiscard]] std::unique_ptr<wire::decider> decide_objects(std::shared_ptr<result_shape> rows, std::string_view query);

/// Why columns like these are not one document, or nothing.
[[nodiscard]] std::string refuse_documents(const proto::row_description& columns);
[[nodiscard]] std::string refuse_documents_of(const result_columns& columns);

/// A query of the rows of another one.
/// @param what   the select list; the rows of the other one are `q` in it
/// @param names  of its columns, quoted and separated by commas; empty: their own names
/// @return empty: it cannot stand in another query
[[nodiscard]] std::string select_from(std::string_view query, std::string_view what, std::string_view names = {});

/// The select list that lets the server make the objects, and its column.
inline constexpr std::string_view objects_by_the_server{"pg_catalog.row_to_json(q.*)"};  // a plain q may be a column
[[nodiscard]] result_columns one_document();

}  // namespace sluice::detail
