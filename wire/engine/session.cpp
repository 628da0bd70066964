#include "engine/session.hpp"

#include <exception>
#include <utility>

#include <sluice/wire/observer.hpp>
#include "messages/backend.hpp"
#include "messages/error_fields.hpp"
#include "messages/frontend.hpp"

#include "engine/server_report.hpp"

#include "transport/tls.hpp"

namespace sluice::wire {

namespace {
constexpr std::size_t most_parameters = 256;  // Postgres reports about fifteen
}

void session::aside(const proto::frame& message) {
  switch (message.type) {
    case 'S': {
      const auto status = proto::decode_parameter_status(message.body);
      if (!status) break;
      if (status->name == "client_encoding" && status->value != "UTF8")
        io.fail(errc::protocol_violation, "client_encoding was changed: JSON is read as UTF8 only");
      const auto known = server.parameters.find(status->name);
      if (known != server.parameters.end())
        known->second = status->value;
      else if (server.parameters.size() < most_parameters)
        server.parameters.emplace(status->name, status->value);
      return;
    }
    case 'N': {
      const auto fields = proto::decode_error_fields(message.body);
      if (!fields) break;
      if (fields->sqlstate.starts_with("57P")) io.last_words = fields->message;
      if (watch == nullptr && !on_notice) return;
      const server_message notice = read_server_message(io, message);
      if (watch != nullptr) watch->on_notice(notice);
      if (on_notice) on_notice(notice);
      return;
    }
    default: {
      const auto said = proto::decode_notification_response(message.body);
      if (!said) break;
      if (on_notification) on_notification({std::string{said->channel}, std::string{said->payload}, said->pid});
      return;
    }
  }
  io.fail(proto::fault{proto::fault::kind::malformed, message.type, "the fields do not fill the body exactly"});
}

std::string_view session::tls_version() const noexcept {
  return io.tls() == nullptr ? std::string_view{} : io.tls()->version();
}

/// Processes what has arrived on an idle session.
/// @return bytes of the message that is arriving; 0 if the session is no longer idle
std::size_t session::take_asides() {
  while (is() == state::idle) {
    const proto::framing next = proto::next_frame(io.in.arrived(), io.limits);
    if (next.found == proto::framing::kind::incomplete) return next.size;
    if (next.found == proto::framing::kind::faulty) io.fail(next.why);
    constexpr std::string_view at_any_time{"NSA"};
    if (at_any_time.find(next.message.type) == std::string_view::npos) {  // such as why the session ends
      discard();
    } else {
      aside(next.message);
      io.in.consume(next.size);
    }
  }
  return 0;
}

link::moved session::hear() {
  const std::size_t wanted = take_asides();
  if (wanted == 0) return link::moved::end;
  const link::moved moved = io.transfer(wanted);
  if (moved != link::moved::something) return moved;
  return take_asides() == 0 ? link::moved::end : moved;
}

bool session::is_alive() noexcept {
  constexpr int most_reads = 32;
  try {
    for (int i = 0; i < most_reads; ++i) {
      const link::moved moved = hear();
      if (moved == link::moved::nothing) return true;
      if (moved == link::moved::end) break;
    }
  } catch (const std::exception&) {  // it is of no use any more, whatever the reason
  }
  discard();
  return false;
}

void session::discard() noexcept {
  phase_ = phase::broken;
  io.close();
}

void session::close() noexcept {
  if (is() == state::idle) {
    constexpr std::size_t terminate_bytes = 5;
    if (io.out.capacity() >= io.out.size() + terminate_bytes && !proto::encode(proto::terminate{}, io.out)) io.flush();
  }
  discard();
}

server_message read_server_message(const link& from, const proto::frame& message) {
  std::optional<server_message> said = read_report(message);
  if (!said)
    from.fail(proto::fault{proto::fault::kind::malformed, message.type, "the fields do not fill the body exactly"});
  return *std::move(said);
}

}  // namespace sluice::wire
