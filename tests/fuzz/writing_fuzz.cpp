// Arbitrary bytes as a server's answers to what writes: a COPY whose data is sent, a statement for three rows in one
// transaction or each by itself. The first two bytes choose which, and where the input is split. The outcome is an end,
// an error, or a request for more bytes, and does not depend on the split.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "fuzzing.hpp"
#include "session_pair.hpp"

namespace writing_fuzz {
namespace {

using sluice::proto::parameter;
using sluice::test::query_reader;
using sluice::test::require;
using sluice::test::session;
using sluice::test::session_pair;
using sluice::wire::statement;

enum class manner : std::uint8_t { copy, rows, rows_by_themselves };

struct ending {
  std::string error;
  bool is_over{};
  std::size_t answered{};
  std::size_t refused{};
  std::uint64_t affected_rows{};

  bool operator==(const ending&) const = default;
};

void begin(std::optional<query_reader>& query, session& on, manner how) {
  constexpr std::array<parameter, 3> values{parameter{"1"}, parameter{}, parameter{"3"}};
  if (how == manner::copy)
    query.emplace(on, query_reader::copy_from{"copy t from stdin"});
  else
    query.emplace(on, statement{.text = "insert into t values ($1)",
                                .values = values,
                                .rows = values.size(),
                                .each_by_itself = how == manner::rows_by_themselves,
                                .discards_rows = true});
}

/// Reads what has arrived, and sends the data of a COPY when the server wants it.
bool go_on(query_reader& query) {
  std::vector<std::string> none;
  const bool is_over = sluice::test::take(query, none);
  require(none.empty(), "rows are skipped");
  if (is_over || !query.is_taking_data()) return is_over;
  query.send_data(std::as_bytes(std::span{"1\n", 2}));
  query.end_data();
  return sluice::test::take(query, none);
}

ending ask(manner how, std::string_view first, std::string_view second) {
  session_pair on{{.row = 20'000, .message = 20'000}};
  ending seen;
  std::optional<query_reader> query;
  begin(query, *on, how);
  try {
    on.say(first);
    seen.is_over = go_on(*query);
    if (!seen.is_over && !second.empty()) {
      on.say(second);
      seen.is_over = go_on(*query);
    }
    require(!seen.is_over || on->is() == session::state::idle, "what is over leaves the session idle");
  } catch (const sluice::error& failure) {
    seen.error = failure.what();
  }
  if (const auto& rows = query->repeated()) {
    seen.answered = rows->answered();
    seen.refused = rows->failures().size();
    seen.affected_rows = rows->affected_rows();
    require(seen.answered <= 3, "no more rows are answered than were sent");
    require(!seen.is_over || seen.answered == 3, "what is over has answered all rows");
    for (const auto& each : rows->failures()) require(each.row < 3, "a refused row was sent");
  }
  return seen;
}

void run(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t fits_a_socket = 60'000;
  if (size < 2 || size > fits_a_socket) return;
  const auto how = static_cast<manner>(data[0] % 3);
  const std::string_view answers = sluice::test::as_text(data + 2, size - 2);
  const std::size_t split = answers.size() * data[1] / 255;
  const ending whole = ask(how, answers, {});
  const ending parts = ask(how, answers.substr(0, split), answers.substr(split));
  require(whole == parts, "a split changes nothing");
}

const sluice::test::fuzz_target target{"writing", run};

}  // namespace
}  // namespace writing_fuzz
