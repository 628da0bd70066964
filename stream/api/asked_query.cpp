// How a query is asked: what becomes of each kind as a statement of the protocol.
#include "api/running_query.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "query/bulk_copy.hpp"
#include "query/by_columns.hpp"
#include "query/place_list.hpp"
#include "query/result_shape.hpp"

namespace sluice::detail {

namespace {

proto::parameter parameter_of(const bind_value& value) {
  return {.value = value.text() ? std::optional<std::string_view>{*value.text()} : std::nullopt,
          .binary = value.is_binary()};
}

// The parameters of a query as Parse and Bind have them. Views into the query. A few are kept on the stack.
class bound_values {
 public:
  explicit bound_values(const query& of) {
    const std::vector<bind_value>& all = of.parameters();
    if (all.size() > few) {
      many_types_.resize(all.size());
      many_values_.resize(all.size());
      types_ = many_types_;
      values_ = many_values_;
    } else {
      types_ = std::span{few_types_}.first(all.size());
      values_ = std::span{few_values_}.first(all.size());
    }
    std::ranges::transform(all, types_.begin(), &bind_value::type);
    std::ranges::transform(all, values_.begin(), parameter_of);
  }
  bound_values(const bound_values&) = delete;
  bound_values& operator=(const bound_values&) = delete;

  [[nodiscard]] std::span<const std::uint32_t> types() const noexcept { return types_; }
  [[nodiscard]] std::span<const proto::parameter> values() const noexcept { return values_; }

 private:
  static constexpr std::size_t few = 4;
  std::array<std::uint32_t, few> few_types_;
  std::array<proto::parameter, few> few_values_;
  std::vector<std::uint32_t> many_types_;
  std::vector<proto::parameter> many_values_;
  std::span<std::uint32_t> types_;
  std::span<proto::parameter> values_;
};

}  // namespace

running_query::running_query(std::shared_ptr<wire::session> on, const query_options& options)
    : session_{std::move(on)}, limits_{options}, clock_{session_->io} {}

running_query::running_query(std::shared_ptr<wire::session> on, const query& what, const query_options& options)
    : running_query{std::move(on), options} {
  encode(what, nullptr);
  text_ = what.text();
}
running_query::running_query(std::shared_ptr<wire::session> on, query&& what, const query_options& options)
    : running_query{std::move(on), options} {
  encode(what, nullptr);
  text_ = std::move(what).text();
}

running_query::running_query(const running_query& before, const query& what, const query_options& options)
    : running_query{before.session_, options} {
  encode(what, &*before.reader_);
  text_ = what.text();
}

running_query::running_query(std::shared_ptr<wire::session> on, std::string_view statements,
                             const query_options& options)
    : running_query{std::move(on), options} {
  begin_span(statements, span_event::kind::query);
  if (const std::string end = comment(); end.empty())
    reader_.emplace(*session_, statements);
  else
    reader_.emplace(*session_, std::string{statements} += end);
  note_text(statements, false);
}

running_query::running_query(std::shared_ptr<wire::session> on, command what, const query_options& options)
    : running_query{std::move(on), options} {
  const bound_values values{what.what};
  begin_span(what.what.text(), span_event::kind::query);
  const std::string end = comment();
  reader_.emplace(*session_, wire::statement{.text = what.what.text(),
                                             .types = values.types(),
                                             .values = values.values(),
                                             .discards_rows = true,
                                             .comment = end,
                                             .server_timeout = limits_.server_timeout});
  note_text(what.what.text(), reader_->was_prepared());
}

running_query::running_query(std::shared_ptr<wire::session> on, const repeated_command& what,
                             const query_options& options)
    : running_query{std::move(on), options} {
  std::vector<proto::parameter> values;
  values.reserve(what.values.size());
  std::ranges::transform(what.values, std::back_inserter(values), parameter_of);
  begin_span(what.text, span_event::kind::query);
  reader_.emplace(*session_, wire::statement{.text = what.text,
                                             .types = what.types,
                                             .values = values,
                                             .rows = what.rows,
                                             .each_by_itself = what.each_by_itself,
                                             .discards_rows = true});
  note_text(what.text, reader_->was_prepared());
}

running_query::running_query(std::shared_ptr<wire::session> on, copy_from what, const query_options& options)
    : running_query{std::move(on), options} {
  begin_span(what.statement, span_event::kind::copy);
  reader_.emplace(*session_, wire::query_reader::copy_from{what.statement});
  effects_ = query::effect::none;  // dropped, it stores nothing
  note_text(what.statement, false);
}

void running_query::encode(const query& what, const wire::query_reader* before) {
  if (what.undeclared() != nullptr && before == nullptr) {
    if (types_of(*session_).is_without_documents(what.text()))
      if (const std::optional<query> instead = by_columns(*what.undeclared(), what)) return encode(*instead, before);
    undeclared_ = what.undeclared();
    choice_ = what.choice();
  }
  const bound_values bound{what};
  const bool is_copied = limits_.mode == fetch_mode::bulk;
  begin_span(what.text(), is_copied ? span_event::kind::copy : span_event::kind::query);
  const std::string end = is_copied ? std::string{} : comment();
  const bool is_paged = limits_.mode == fetch_mode::paged;
  const bool is_document = what.rows() == query::shape::document;
  constexpr std::array in_binary{proto::value_format::binary};
  wire::statement statement{.text = what.text(),
                            .types = bound.types(),
                            .values = bound.values(),
                            .by_columns = !is_document,
                            .refuses = is_document ? refuse_documents : nullptr,
                            .page_rows = is_paged ? std::max(limits_.page_rows, 1U) : 0U,
                            .page_bytes = limits_.page_bytes,
                            .comment = end,
                            .server_timeout = limits_.server_timeout};
  rows_.begin(*session_, what);
  const std::shared_ptr<result_shape>& shape = rows_.shape();
  std::optional<bulk_copy> copied;
  if (is_copied) {
    require_standard_strings(what);
    copied.emplace(what, bound.values(), shape).make_copy(statement);
  } else if (shape != nullptr) {
    statement.decides = [&] { return decide_objects(shape, what.text()); };
    statement.question = shape->question();
    const bool is_fast_in_text =
        what.places() != nullptr ? what.places()->are_json : what.effects() != query::effect::none;
    statement.runs_undescribed = what.rows() == query::shape::object && is_fast_in_text;
  } else if (what.rows() == query::shape::columns) {
    statement.formats = in_binary;
  }
  if (before == nullptr)
    reader_.emplace(*session_, statement);
  else
    reader_.emplace(*before, statement);
  effects_ = what.only_reads() ? std::optional{query::effect::none} : std::nullopt;
  note_text(what.text(), reader_->was_prepared());
}

/// Replacing parameters requires knowing what a backslash in a literal means.
void running_query::require_standard_strings(const query& what) const {
  const auto strings = session_->server.parameters.find("standard_conforming_strings");
  const bool is_standard = strings == session_->server.parameters.end() || strings->second == "on";
  if (!is_standard && !what.parameters().empty() && what.text().find('\\') != std::string_view::npos)
    session_->io.refuse(errc::bad_query,
                        "in bulk mode, SQL with parameters and backslashes needs standard_conforming_strings");
}

void running_query::note_text(std::string_view text, bool was_prepared) {
  if (!was_prepared && may_change_unreported_settings(text)) types_of(*session_).unreported.changed();
  if (session_->watch == nullptr) return;
  const bool is_paged = limits_.mode == fetch_mode::paged;
  report_ = query_report{*session_->watch, session_->server.database, text, is_paged, was_prepared};
}

void running_query::begin_span(std::string_view text, span_event::kind is) {
  if (!wire::open_span::is_wanted(session_->watch, limits_.parent)) return;
  spans_ = std::make_unique<query_spans>(*session_->watch, limits_.parent, is, session_->server.database, text);
}

/// After a line break, because the SQL may end with a comment up to the end of its line.
std::string running_query::comment() const {
  if (!limits_.comment_traceparent || limits_.parent == trace_context{}) return {};
  if (session_->engine.statements.is_on())
    session_->io.refuse(errc::bad_query,
                        "comment_traceparent makes a new text of every statement, and a connection with a "
                        "statement_cache would prepare each of them again: use one without");
  const trace_context& told = spans_ != nullptr ? spans_->context() : limits_.parent;
  return "\n/*traceparent='" + told.to_string() + "'*/";
}

}  // namespace sluice::detail
