// A server that closes the connection, falls silent, or never stops sending.
#include "fault.hpp"

namespace sluice::test {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 400ms;

script after_rows() { return script{}.lets_in().hears().says(rows(2)); }
ending lost(std::uint64_t rows) { return {.code = errc::connection_lost, .rows = rows, .is_retryable = true}; }
ending late(std::uint64_t rows) { return {.code = errc::deadline_exceeded, .rows = rows, .is_retryable = true}; }

}  // namespace

std::vector<fault> leavers() {
  const backend half = backend{}.message('D', be16(1) + be32(2) + "{}");
  const std::string half_row = half.bytes.substr(0, half.bytes.size() - 1);
  const auto crash = [] {
    return after_rows().says(backend{}.notice("because of crash of another", "57P02", "WARNING"));
  };
  ending crashed = lost(2);
  crashed.says = "because of crash of another";
  return {
      {"closed in the middle of a row", after_rows().says(half_row).hangs_up(), lost(2)},
      {"reset in the middle of a row", after_rows().says(half_row).sleeps(300ms).resets(), lost(2)},
      {"closed in a header", after_rows().says("D").hangs_up(), lost(2)},
      {"closed between rows", after_rows().hangs_up(), lost(2)},
      {"closed before ReadyForQuery", script{}.lets_in().hears().says(rows(2).command_complete("SELECT 2")).hangs_up(),
       lost(2)},
      {"closed instead of an answer", script{}.lets_in().hears().hangs_up(), lost(0)},
      {"reset instead of an answer", script{}.lets_in().hears().resets(), lost(0)},
      {"closed while idle", script{}.lets_in().hangs_up(), lost(0)},
      {"reset while idle", script{}.lets_in().resets(), lost(0)},
      {"another backend crashed", crash().hangs_up(), crashed},
      {"another backend crashed, and a reset", crash().sleeps(300ms).resets(), crashed},
  };
}

std::vector<fault> endless() {
  const auto slow = [](fault what) {
    what.timeout = patience;
    return what;
  };
  const backend large = backend{}.notice(std::string(60'000, 'x'));
  return {
      slow({"half open: nothing comes any more", after_rows().falls_silent(), late(2)}),
      slow({"never an answer", script{}.lets_in().hears().falls_silent(), late(0)}),
      slow({"a byte now and then", script{}.lets_in().hears().drips(rows(1).bytes, 100ms), late(0)}),
      slow({"notices for ever", script{}.lets_in().hears().says(rows(2)).repeats(backend{}.notice()), late(2)}),
      slow({"large notices for ever", script{}.lets_in().hears().says(rows(2)).repeats(large), late(2)}),
      slow({"parameters for ever",
            script{}.lets_in().hears().says(rows(2)).repeats(backend{}.parameter_status("a", "b")), late(2)}),
      slow({"notifications for ever",
            script{}.lets_in().hears().says(rows(2)).repeats(backend{}.notification("a", "b")), late(2)}),
      slow({"a message that never ends", after_rows().says("D" + be32(1U << 19U)).drips(std::string(100'000, 'x')),
            late(2)}),
  };
}

}  // namespace sluice::test
