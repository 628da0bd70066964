// Arbitrary bytes as a server's answers to a query, read through a session and its buffer. The first two bytes choose
// how the query is sent and where the input is split. The outcome is rows, an error, or a request for more bytes, and
// does not depend on the split.
#include <sluice/stream/chunk.hpp>
#include <string>
#include <vector>

#include "fuzzing.hpp"
#include "query/bulk_copy.hpp"
#include "query/result_shape.hpp"
#include "session_pair.hpp"

namespace {

using sluice::query;
using sluice::test::exchange;
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

ending ask(const statement& what, std::string_view first, std::string_view second) {
  session_pair on{{.row = 20'000, .message = 20'000}};
  ending seen;
  try {
    exchange query{*on, what};
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t fits_a_socket = 60'000;
  if (size < 2 || size > fits_a_socket) return 0;
  const bool as_copy = (data[0] & 8U) != 0;
  statement what{
      .text = "select data from t", .page_rows = (data[0] & 4U) != 0 && !as_copy ? 2U : 0U, .page_bytes = 1'000};
  const auto shape = static_cast<query::shape>(data[0] % 3);
  const query asked{std::string{what.text}, {}, shape};
  const sluice::detail::bulk_copy copied{asked, {}};
  if (as_copy) {
    copied.make_copy(what);
    if ((data[0] & 16U) != 0) what.question = "select true";
  } else if (shape == query::shape::object) {
    what.rewritten = sluice::detail::as_objects;
  } else if (shape == query::shape::detect) {
    what.decides = sluice::detail::detect_shape;
  }
  const std::string_view answers = sluice::test::as_text(data + 2, size - 2);
  const std::size_t split = answers.size() * data[1] / 255;
  const ending whole = ask(what, answers, {});
  const ending parts = ask(what, answers.substr(0, split), answers.substr(split));
  require(whole == parts, "a split changes nothing");
  return 0;
}
