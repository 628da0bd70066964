#include "engine/login.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "conninfo/scram_store.hpp"
#include "drive/coroutine_driver.hpp"
#include "drive/gss.hpp"
#include "machines/startup_machine.hpp"
#include "messages/backend.hpp"
#include "transport/printable.hpp"

#include "transport/peer.hpp"
#include "transport/tls.hpp"

namespace sluice::wire {

namespace {

std::vector<proto::startup_parameter> start_up_parameters(const conninfo& info) {
  std::vector<proto::startup_parameter> all{{"client_encoding", "UTF8"}};
  if (!info.application_name.empty()) all.push_back({"application_name", info.application_name});
  if (!info.options.empty()) all.push_back({"options", info.options});
  for (const auto& [name, value] : info.session_settings) all.push_back({name, value});
  return all;
}

std::string account_of(const conninfo& info, const conninfo::host& host) { return info.user + '@' + host.to_string(); }

proto::scram_keys keys_in(const conninfo& info) {
  proto::scram_keys keys;
  const auto copy = [](std::string_view from, proto::scram_keys::digest& to) {
    if (from.size() != to.size()) throw error{errc::bad_conninfo, "a SCRAM key has 32 bytes"};
    std::memcpy(to.data(), from.data(), to.size());
  };
  copy(info.scram_client_key.view(), keys.client_key);
  copy(info.scram_server_key.view(), keys.server_key);
  return keys;
}

/// What a login needs, including the storage that the machine's views refer to.
class credentials {
 public:
  credentials(const session& on, const conninfo& info, const conninfo::host& host, std::optional<secret> given)
      : parameters_{start_up_parameters(info)}, password_{given ? std::move(given) : password_for(info, host)} {
    const tls_stream* const tls = on.io.tls();
    const bool is_private =
        on.io.is_secured() || (host.is_unix_socket() && (is_trusted(on.server.peer) || !info.requirepeer.empty()));
    login_.user = info.user;
    login_.database = info.database;
    login_.parameters = parameters_;
    if (password_) login_.password = password_->view();
    login_.minor_version = minor_of(info.max_protocol_version);
    login_.allow_nothing = info.require_auth.none;
    login_.allow_cleartext = info.require_auth.password;
    login_.is_exposed = !is_private;
    login_.scram.min_iterations = info.scram_min_iterations;
    login_.allow_md5 = info.require_auth.md5;
    login_.allow_scram = info.require_auth.scram_sha_256;
    if (has_gssapi() && !host.is_unix_socket())
      login_.gss = info.require_auth.gss ? proto::login::gssapi::allowed : proto::login::gssapi::forbidden;
    login_.over_gss = on.server.gss.has_value();
    login_.allow_bearer = info.require_auth.oauth && is_private && info.token != nullptr;
    login_.bind = binding_of(info.channel_binding);
    login_.over_tls = tls != nullptr;
    if (tls != nullptr) certificate_hash_ = tls->certificate_hash();
    login_.certificate_hash = certificate_hash_;
    if (!info.scram_client_key.empty() && !info.scram_server_key.empty())
      login_.given_keys = &given_keys_.emplace(keys_in(info));
    if (info.scram_keys != nullptr && password_)
      known_keys_ = scram_store::of(*info.scram_keys).find(account_of(info, host), password_->view());
    if (known_keys_) login_.known_keys = &*known_keys_;
  }
  credentials(const credentials&) = delete;
  credentials& operator=(const credentials&) = delete;

  [[nodiscard]] const proto::login& login() const noexcept { return login_; }

  [[nodiscard]] static std::uint16_t minor_of(protocol_version version) noexcept {
    return static_cast<std::uint16_t>(static_cast<std::uint32_t>(version) & 0xffffU);
  }

 private:
  [[nodiscard]] static proto::login::binding binding_of(channel_binding_mode mode) noexcept {
    switch (mode) {
      case channel_binding_mode::disable: return proto::login::binding::never;
      case channel_binding_mode::prefer: return proto::login::binding::if_offered;
      case channel_binding_mode::require: break;
    }
    return proto::login::binding::always;
  }

  std::vector<proto::startup_parameter> parameters_;
  std::optional<secret> password_;
  std::string certificate_hash_;
  std::optional<proto::scram_keys> known_keys_;
  std::optional<proto::scram_keys> given_keys_;
  proto::login login_;
};

/// The start-up conversation on a connected link, up to ReadyForQuery.
class login_conversation {
 public:
  login_conversation(session& on, const proto::login& who, const std::function<secret()>& token)
      : session_{on}, machine_{who}, token_{token} {
    if (const proto::fault why = machine_.start(on.io.out)) on.io.fail(why);
  }

  /// Until ReadyForQuery, or a question to GSSAPI. What the server sends after ReadyForQuery belongs to the session and
  /// stays in the buffer.
  [[nodiscard]] bool advance() {
    link& io = session_.io;
    while (!machine_.is_ready() && !asks_gss_) {
      const proto::framing next = proto::next_frame(io.in.arrived(), io.limits);
      if (next.found == proto::framing::kind::faulty) {
        if (is_first_) take_old_error();
        io.fail(next.why);
      }
      if (next.found == proto::framing::kind::incomplete) {
        wanted_ = next.size;
        return false;
      }
      is_first_ = false;
      note_answer();
      act(machine_.on(next.message, io.out), next.message);
      io.in.consume(next.size);
    }
    return true;
  }

  [[nodiscard]] bool move() {
    const link::moved moved = session_.io.transfer(wanted_);
    if (moved == link::moved::end) session_.io.fail_lost();
    return moved == link::moved::something;
  }
  [[nodiscard]] const proto::startup_machine& machine() const noexcept { return machine_; }
  /// The shortest time from a message of ours to its answer.
  [[nodiscard]] clock::duration round_trip() const noexcept { return round_trip_; }
  /// Whether it goes on with `give_gss`.
  [[nodiscard]] bool asks_gss() const noexcept { return asks_gss_; }
  void give_gss(const gss_login& with) {
    asks_gss_ = false;
    const proto::startup_step step = machine_.give_gss(with.token(), with.is_established(), session_.io.out);
    if (step.is == proto::startup_step::kind::violation) session_.io.fail(step.why);
  }

 private:
  void note_answer() noexcept {
    const clock::duration waited = session_.io.waited() - std::exchange(waited_, session_.io.waited());
    if (std::exchange(has_asked_, false)) round_trip_ = std::min(round_trip_, waited);
  }
  void act(proto::startup_step step, const proto::frame& message) {
    link& io = session_.io;
    switch (step.is) {
      using enum proto::startup_step::kind;
      case violation: io.fail(step.why);
      case aside: session_.aside(message); break;
      case refused: throw io.server_error(read_server_message(io, message), false);
      case hash:
        do {
          io.check_deadline();
          step = machine_.hash_some(io.out);
          if (step.is == violation) io.fail(step.why);
        } while (step.is == hash);
        break;
      case token: {
        const secret text{token_()};
        step = machine_.give_token(text.view(), io.out);
        if (step.is == violation) io.fail(step.why);
        break;
      }
      case gss: asks_gss_ = true; break;
      case nothing:
      case send:
      case ready: break;
    }
    has_asked_ = step.is == proto::startup_step::kind::send;
  }

  /// A server that cannot start a backend process replies as in protocol 2: 'E' and a zero-terminated text.
  void take_old_error() const {
    const std::span<const std::byte> arrived = session_.io.in.arrived();
    const std::string_view said{reinterpret_cast<const char*>(arrived.data()), arrived.size()};
    if (!said.starts_with('E')) return;
    const std::string_view text = said.substr(1, said.find_first_of(std::string_view{"\n\0", 2}) - 1);
    session_.io.fail(errc::connect_failed, "the server could not begin a session: " + printable(text), true);
  }

  session& session_;
  proto::startup_machine machine_;
  const std::function<secret()>& token_;
  std::size_t wanted_{0};
  bool asks_gss_{false};
  bool is_first_{true};  // nothing has been received yet
  bool has_asked_{true};
  clock::duration waited_{session_.io.waited()};
  clock::duration round_trip_{clock::duration::max()};
};

asio::awaitable<void> log_in_by_gss(link& io, login_conversation& conversation, const gss_target& with) {
  gss_login context{with};
  do {
    co_await context.step(io, conversation.machine().gss_token());
    conversation.give_gss(context);
    co_await run(io, conversation);
  } while (conversation.asks_gss());
}

}  // namespace

asio::awaitable<void> log_in(session& on, const conninfo& info, const conninfo::host& host,
                             std::optional<secret> password) {
  on.io.where.doing = "logging in to";
  const credentials who{on, info, host, std::move(password)};
  login_conversation conversation{on, who.login(), info.token};
  co_await run(on.io, conversation);
  if (conversation.asks_gss()) {
    const gss_target service = gss_target_of(info, host);
    co_await log_in_by_gss(on.io, conversation, service);
  }
  if (conversation.machine().minor_version() < credentials::minor_of(info.min_protocol_version)) {
    on.io.fail(errc::protocol_violation, "the server does not speak protocol 3.2, which min_protocol_version asks for");
  }
  on.server.round_trip = conversation.round_trip();
  on.server.backend_pid = conversation.machine().backend_pid();
  on.server.cancel_key = conversation.machine().cancel_key();
  on.logged_in();
  const proto::scram_keys* const keys = conversation.machine().proved_keys();
  if (info.scram_keys != nullptr && keys != nullptr && who.login().given_keys == nullptr)
    scram_store::of(*info.scram_keys).store(account_of(info, host), *who.login().password, *keys);
}

}  // namespace sluice::wire
