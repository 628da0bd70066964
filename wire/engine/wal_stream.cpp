#include "engine/wal_stream.hpp"

#include <new>
#include <optional>
#include <utility>

#include "messages/backend.hpp"

#include "engine/server_report.hpp"

namespace sluice::wire {

wal_stream::wal_stream(session& on, std::string_view command) : session_{on} {
  if (const proto::fault why = proto::encode(proto::query{command}, on.io.out)) on.io.fail(why);
}

wal_stream::state wal_stream::advance() {
  link& io = session_.io;
  while (phase_ != phase::over) {
    const proto::framing next = proto::next_frame(io.in.arrived(), io.limits);
    if (next.found == proto::framing::kind::faulty) io.fail(next.why);
    if (next.found == proto::framing::kind::incomplete) {
      wanted_ = next.size;
      return state::hungry;
    }
    io.in.consume(next.size);  // its bytes stay where they are until the next move
    const state now = on_message(next.message);
    if (now != state::hungry) return now;
  }
  return state::over;
}

/// CopyBothResponse, then CopyData in both directions until each side has sent CopyDone; CommandComplete, once or
/// twice, and ReadyForQuery.
wal_stream::state wal_stream::on_message(const proto::frame& message) {
  switch (message.type) {
    case 'N':
    case 'S':
    case 'A': session_.aside(message); return state::hungry;
    case 'E': return on_error(message);
    case 'W':
      if (phase_ != phase::asked) fail_unexpected(message.type);
      if (!proto::decode_copy_response(message.body)) fail_malformed(message.type);
      phase_ = phase::streaming;
      return state::begun;
    case 'd':
      if (phase_ == phase::streaming) return on_data(message);
      if (phase_ != phase::leaving && phase_ != phase::done) fail_unexpected(message.type);
      return state::hungry;  // signs of life are sent to the very end
    case 'c':
    case 'C':
      // When the server shuts down.
      if (phase_ == phase::streaming) session_.io.fail(errc::connection_lost, "the server has ended replication", true);
      if (phase_ != phase::leaving && phase_ != phase::done) fail_unexpected(message.type);
      phase_ = phase::done;
      return state::hungry;
    case 'Z':
      if (phase_ != phase::done && phase_ != phase::refused) fail_unexpected(message.type);
      phase_ = phase::over;
      if (refusal_) throw *refusal_;
      return state::over;
    default: fail_unexpected(message.type);
  }
}

wal_stream::state wal_stream::on_error(const proto::frame& message) {
  server_message said = read_server_message(session_.io, message);
  if (phase_ != phase::asked || ends_the_session(said)) throw session_.io.server_error(std::move(said), false);
  refusal_ = session_.io.server_error(std::move(said), true);
  phase_ = phase::refused;
  return state::hungry;
}

wal_stream::state wal_stream::on_data(const proto::frame& message) {
  if (const auto piece = proto::decode_xlog_data(message.body)) {
    piece_ = *piece;
    return state::piece;
  }
  const auto alive = proto::decode_primary_keepalive(message.body);
  if (!alive) fail_malformed(message.type);
  alive_ = *alive;
  return state::alive;
}

bool wal_stream::move() {
  const link::moved moved = session_.io.transfer(wanted_);
  if (moved == link::moved::end) session_.io.fail_lost();
  return moved == link::moved::something;
}

void wal_stream::tell(const proto::standby_status_update& how_far) noexcept {
  constexpr std::size_t most_unsent = 4096;
  if (session_.io.out.size() > most_unsent) return;
  try {
    if (!proto::encode(how_far, session_.io.out)) session_.io.flush();
  } catch (const std::bad_alloc&) {  // nothing of it was put into the output
  }
}

void wal_stream::finish() {
  if (phase_ == phase::streaming) {
    if (const proto::fault why = proto::encode(proto::copy_done{}, session_.io.out)) session_.io.fail(why);
    phase_ = phase::leaving;
  }
}

void wal_stream::fail_unexpected(char type) const {
  session_.io.fail(proto::fault{proto::fault::kind::unexpected, type, "message out of order in replication"});
}
void wal_stream::fail_malformed(char type) const {
  session_.io.fail(proto::fault{proto::fault::kind::malformed, type, "the fields do not fill the body exactly"});
}

}  // namespace sluice::wire
