#include "engine/run_query.hpp"

#include <utility>

#include "drive/coroutine_driver.hpp"

namespace sluice::wire {

namespace {

/// Reads a query to its end, or until it has brought bytes so many times.
class reading_to_end {
 public:
  reading_to_end(query_reader& query, std::uint64_t most_reads) noexcept
      : query_{query}, most_reads_{most_reads}, before_{query.on().io.reads()} {}

  [[nodiscard]] bool advance() {
    return query_.advance() == query_reader::state::over || query_.on().io.reads() - before_ >= most_reads_;
  }
  [[nodiscard]] bool move() { return query_.move(); }

 private:
  query_reader& query_;
  std::uint64_t most_reads_;
  std::uint64_t before_;
};

/// Until the columns of the last query are known, or something is being left.
class deciding_unless_left {
 public:
  explicit deciding_unless_left(const session& on) noexcept : on_{on}, decision_{on} {}
  [[nodiscard]] bool advance() { return on_.is() == session::state::leaving || decision_.advance(); }
  [[nodiscard]] bool move() { return decision_.move(); }

 private:
  const session& on_;
  deciding decision_;
};

}  // namespace

asio::awaitable<void> read_to_end(query_reader& query, std::uint64_t most_reads) {
  reading_to_end reading{query, most_reads};
  co_await run(query.on().io, reading);
}

asio::awaitable<void> until_decided(session& on, clock::time_point latest) {
  deciding_unless_left decision{on};
  if (decision.advance()) co_return;
  on.io.set_deadline(latest);
  const departures::reader here{on.leaving};
  asio::awaitable<void> reading = run(on.io, decision);
  const bool goes_on = co_await uncancelled(std::move(reading));
  if (!goes_on) on.io.fail(errc::cancelled, "cancelled");
}

asio::awaitable<void> run_statements(session& on, std::string_view statements) {
  on.io.set_deadline(from_now(on.patience));
  query_reader running{on, statements};
  co_await read_to_end(running);
  on.io.set_deadline(clock::time_point::max());
}

}  // namespace sluice::wire
