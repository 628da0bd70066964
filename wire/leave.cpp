#include <sluice/wire/leave.hpp>

#include <algorithm>
#include <chrono>
#include <exception>

#include <sluice/wire/dial.hpp>

#include "secure.hpp"

namespace sluice::wire {

namespace {

/// What has arrived already may hold the end: looks, without waiting.
bool is_nearly_over(exchange& query) {
  if (query.advance() == exchange::state::over) return true;
  if (query.on().io.transfer(query.wanted()) != link::moved::something) return false;
  return query.advance() == exchange::state::over;
}

/// A request that comes before the server has begun with the query is lost: so it is repeated, until the query ends.
/// @return how many were sent
asio::awaitable<int> cancel_until_over(exchange& query, clock::time_point deadline) {
  link& io = query.on().io;
  clock::duration patience = std::chrono::milliseconds{50};
  for (int sent = 1;; ++sent, patience *= 2) {
    co_await send_cancel(query.on(), deadline);
    io.set_deadline(std::min(deadline, clock::now() + patience));
    try {
      co_await read_to_end(query);
      io.set_deadline(deadline);
      co_return sent;
    } catch (const error& failure) {
      if (failure.code() != errc::deadline_exceeded || clock::now() >= deadline) throw;
    }
  }
}

asio::awaitable<leaving> cancel_and_drain(exchange& query, clock::time_point deadline) {
  session& on = query.on();
  if (is_nearly_over(query)) co_return leaving::drained;
  if (on.backend_pid == 0) on.io.fail(errc::bad_state, "the server gave no key to cancel by");
  const int sent = co_await cancel_until_over(query, deadline);
  const bool was_cancelled = query.sqlstate() == "57014";
  if (was_cancelled && sent == 1) co_return leaving::cancelled;

  exchange probe{on, std::string_view{}};  // a signal may still be on its way
  probe.skip_rows();                       // and the error that it may meet
  co_await read_to_end(probe);
  co_return was_cancelled ? leaving::cancelled : leaving::drained;
}

}  // namespace

asio::awaitable<leaving> leave(exchange& query, clock::duration patience) {
  session& on = query.on();
  if (on.is == session::state::broken) co_return leaving::closed;
  if (query.is_over()) co_return leaving::drained;
  on.is = session::state::leaving;
  on.io.where.doing = "leaving a query on";
  query.skip_rows();
  const clock::time_point deadline = clock::now() + patience;
  on.io.set_deadline(deadline);
  leaving outcome = leaving::closed;
  try {
    outcome = co_await cancel_and_drain(query, deadline);
    on.io.set_deadline(clock::time_point::max());
  } catch (const std::exception&) {
    outcome = leaving::closed;  // there is nobody to tell why
  }
  if (outcome == leaving::closed) on.discard();
  on.settled.cancel();
  co_return outcome;
}

asio::awaitable<void> send_cancel(session& target, clock::time_point deadline) {
  socket connected = co_await dial(target.io.get_executor(), target.io.remote(), deadline, target.io.where);
  constexpr std::size_t answer_bytes = 64;  // none is expected: the server just closes
  link to{std::move(connected), target.io.limits, answer_bytes};
  to.where = {.place = target.io.where.place, .doing = "cancelling a query on"};
  to.set_deadline(deadline);
  if (target.security != nullptr && !co_await start_tls(to, target.security, target.host))
    to.fail(errc::tls_unavailable, "the session is in TLS, and the server has none for the request to cancel");
  to.where.doing = "cancelling a query on";
  const proto::cancel_request request{.pid = target.backend_pid, .key = target.cancel_key};
  if (const proto::fault why = proto::encode(request, to.out)) to.fail(why);
  for (;;) {
    const link::moved moved = to.transfer(0);
    if (moved == link::moved::end) co_return;
    to.in.consume(to.in.arrived().size());
    if (moved == link::moved::something) continue;
    co_await to.ready();
    to.check_wait();
  }
}

}  // namespace sluice::wire
