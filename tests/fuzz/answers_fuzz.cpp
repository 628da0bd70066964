// Arbitrary bytes as a server's answers to a query, read through a session and its buffer. The first two bytes choose
// how the query is sent and where the input is split. The outcome is rows, an error, or a request for more bytes, and
// does not depend on the split.
#include <memory>
#include <sluice/stream/chunk.hpp>
#include <string>
#include <vector>

#include "fuzzing.hpp"
#include "query/bulk_copy.hpp"
#include "query/result_shape.hpp"
#include "session_pair.hpp"

namespace answers_fuzz {
namespace {

using sluice::query;
using sluice::detail::bulk_copy;
using sluice::detail::result_shape;
using sluice::test::query_reader;
using sluice::test::require;
using sluice::test::session;
using sluice::test::session_pair;
using sluice::test::take;
using sluice::wire::statement;

struct ending {
  std::vector<std::string> rows;
  std::string error;
  bool is_over{};

  bool operator==(const ending&) const = default;
};

/// How the query is asked.
struct manner {
  query::shape shape;
  bool as_copy;
  bool asks_about_the_table;
  bool in_pages;
};

ending ask(const manner& how, std::string_view first, std::string_view second) {
  session_pair on{{.row = 20'000, .message = 20'000}};
  ending seen;
  statement what{.text = "select data from t",
                 .by_columns = how.shape != query::shape::document,
                 .page_rows = how.in_pages && !how.as_copy ? 2U : 0U,
                 .page_bytes = 1'000};
  std::shared_ptr<result_shape> shape;
  if (how.shape == query::shape::detect || how.shape == query::shape::object)
    shape = std::make_shared<result_shape>(*on, how.shape);
  const query asked{std::string{what.text}, {}, how.shape};
  const bulk_copy copied{asked, {}, shape};
  if (how.as_copy) {
    copied.make_copy(what);
    if (how.asks_about_the_table) what.question = "select true";
  } else if (shape != nullptr) {
    what.decides = [&] { return sluice::detail::decide_objects(shape, what.text); };
    what.runs_undescribed = how.shape == query::shape::object;
  }
  try {
    query_reader query{*on, what};
    on.say(first);
    seen.is_over = take(query, seen.rows);
    if (!seen.is_over && !second.empty()) {
      on.say(second);
      seen.is_over = take(query, seen.rows);
    }
    require(!seen.is_over || on->is() == session::state::idle, "what is over leaves the session idle");
  } catch (const sluice::error& failure) {
    seen.error = failure.what();
    require(failure.rows() == seen.rows.size(), "an error tells how many rows came before it");
  }
  return seen;
}

void run(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t fits_a_socket = 60'000;
  if (size < 2 || size > fits_a_socket) return;
  const manner how{.shape = static_cast<query::shape>(data[0] % 3),
                   .as_copy = (data[0] & 8U) != 0,
                   .asks_about_the_table = (data[0] & 16U) != 0,
                   .in_pages = (data[0] & 4U) != 0};
  const std::string_view answers = sluice::test::as_text(data + 2, size - 2);
  const std::size_t split = answers.size() * data[1] / 255;
  const ending whole = ask(how, answers, {});
  const ending parts = ask(how, answers.substr(0, split), answers.substr(split));
  require(whole == parts, "a split changes nothing");
}

const sluice::test::fuzz_target target{"answers", run};

}  // namespace
}  // namespace answers_fuzz
