#include <sluice/wire/connect.hpp>

#include <pwd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <asio/this_coro.hpp>

#include <sluice/proto/backend.hpp>
#include <sluice/proto/startup_machine.hpp>
#include <sluice/wire/dial.hpp>

namespace sluice::wire {

namespace {

std::vector<proto::startup_parameter> start_up_parameters(const conninfo& info) {
  std::vector<proto::startup_parameter> all{{"client_encoding", "UTF8"}};
  if (!info.application_name.empty()) all.push_back({"application_name", info.application_name});
  if (!info.options.empty()) all.push_back({"options", info.options});
  for (const auto& [name, value] : info.session_settings) all.push_back({name, value});
  return all;
}

/// The start-up conversation on a connected link, up to ReadyForQuery.
class login_conversation {
 public:
  login_conversation(session& on, const proto::login& who) : session_{on}, machine_{who} {
    if (const proto::fault why = machine_.start(on.io.out)) on.io.fail(why);
  }

  /// Deals with what has arrived.
  /// @return whether the session is ready
  bool advance() {
    link& io = session_.io;
    while (!machine_.is_ready()) {
      const proto::framing next = proto::next_frame(io.in.arrived(), io.limits);
      if (next.found == proto::framing::kind::faulty) io.fail(next.why);
      if (next.found == proto::framing::kind::incomplete) {
        wanted_ = next.size;
        return false;
      }
      act(machine_.on(next.message, io.out), next.message);
      io.in.consume(next.size);
    }
    session_.backend_pid = machine_.backend_pid();
    session_.cancel_key = machine_.cancel_key();
    session_.is = session::state::idle;
    return true;
  }

  [[nodiscard]] std::size_t wanted() const noexcept { return wanted_; }
  [[nodiscard]] std::uint16_t minor_version() const noexcept { return machine_.minor_version(); }

 private:
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
      case nothing:
      case send:
      case ready: break;
    }
  }

  session& session_;
  proto::startup_machine machine_;
  std::size_t wanted_{0};
};

asio::awaitable<void> log_in(session& on, const proto::login& who, std::uint16_t least_minor) {
  login_conversation conversation{on, who};
  while (!conversation.advance()) {
    const link::moved moved = on.io.transfer(conversation.wanted());
    if (moved == link::moved::end) on.io.fail_lost();
    if (moved == link::moved::something) continue;
    co_await on.io.ready();
    on.io.check_wait();
  }
  if (conversation.minor_version() < least_minor) {
    on.is = session::state::busy;
    on.io.fail(errc::protocol_violation, "the server does not speak protocol 3.2, which min_protocol_version asks for");
  }
}

/// For one name to resolve, or one address to let us in.
clock::time_point deadline_of(const conninfo& info) {
  return info.connect_timeout.count() > 0 ? clock::now() + info.connect_timeout : clock::time_point::max();
}

/// `requirepeer`: the server's process behind a Unix socket must belong to that user.
void check_peer(const conninfo& info, socket& connected, const link::context& where) {
  if (info.requirepeer.empty() || connected.remote_endpoint().protocol().family() != AF_UNIX) return;
  ucred peer{};
  socklen_t size = sizeof peer;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> names{};
  if (::getsockopt(connected.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
      ::getpwuid_r(peer.uid, &entry, names.data(), names.size(), &found) != 0 || found == nullptr ||
      info.requirepeer != found->pw_name)
    throw error{errc::auth_proof, where.after("the server does not run as the user that requirepeer names")};
}

/// Everything that has to do with one address of one host.
asio::awaitable<std::shared_ptr<session>> try_address(const conninfo& info, const conninfo::host& host,
                                                      const endpoint& address, const session_options& options,
                                                      const link::context& where) {
  const clock::time_point deadline = deadline_of(info);
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  const tcp_options tcp{.keepalives = info.keepalives,
                        .idle = info.keepalives_idle,
                        .interval = info.keepalives_interval,
                        .count = info.keepalives_count,
                        .user_timeout = info.tcp_user_timeout};
  socket connected = co_await dial(on, address, deadline, where, tcp);
  check_peer(info, connected, where);
  const auto made = std::make_shared<session>(std::move(connected), options.limits, options.buffer_bytes);
  made->patience = options.patience;
  made->io.where = where;
  made->io.where.doing = "logging in to";
  made->io.set_deadline(deadline);

  const std::optional<std::string> password = password_for(info, host);
  const std::vector<proto::startup_parameter> parameters = start_up_parameters(info);
  proto::login who;
  who.user = info.user;
  who.database = info.database;
  who.parameters = parameters;
  if (password) who.password = *password;
  who.minor_version = info.max_protocol_version == protocol_version::v3_2 ? 2 : 0;
  who.allow_nothing = info.require_auth.none;
  who.allow_cleartext = info.require_auth.password && host.is_unix_socket();
  who.allow_md5 = info.require_auth.md5;
  who.allow_scram = info.require_auth.scram_sha_256;
  co_await log_in(*made, who, info.min_protocol_version == protocol_version::v3_2 ? 2 : 0);
  made->io.set_deadline(clock::time_point::max());
  co_return made;
}

/// Whether another host may do better: this one could not be reached, or does not take connections now.
bool is_worth_another_host(const error& failure) {
  if (failure.kind() == condition::connection || failure.kind() == condition::timeout) return true;
  return failure.sqlstate() == "57P03";
}

/// Nothing weaker than what was asked for: what this version cannot do is refused, not passed over.
void refuse_what_cannot_be(const conninfo& info, const conninfo::host& host, const link::context& where) {
  if (info.sslmode > tls_mode::prefer && !host.is_unix_socket())
    throw error{errc::tls_unavailable,
                where.after("sslmode requires TLS, which this version of sluice does not have yet")};
  if (info.channel_binding == channel_binding_mode::require)
    throw error{errc::auth_method,
                where.after("channel_binding=require needs TLS, which this version of sluice does not have yet")};
  if (info.target_session_attrs != session_target::any)
    throw error{errc::bad_conninfo, where.after("target_session_attrs is not in this version of sluice yet")};
}

std::vector<conninfo::host> hosts_in_order(const conninfo& info) {
  std::vector<conninfo::host> hosts = info.hosts;
  if (info.load_balance_hosts == host_order::random) std::shuffle(hosts.begin(), hosts.end(), std::random_device{});
  return hosts;
}

}  // namespace

asio::awaitable<std::shared_ptr<session>> connect(conninfo info, session_options options) {
  std::vector<error> failures;
  for (const conninfo::host& host : hosts_in_order(info)) {
    link::context where{.place = "database \"" + info.database + "\" at " + host.to_string()};
    try {
      refuse_what_cannot_be(info, host, where);
      const std::vector<endpoint> addresses = co_await resolve(host, deadline_of(info), where);
      for (const endpoint& address : addresses) {
        try {
          co_return co_await try_address(info, host, address, options, where);
        } catch (const error& failure) {
          if (!is_worth_another_host(failure)) throw;
          failures.push_back(failure);
        }
      }
    } catch (const error& failure) {
      if (!is_worth_another_host(failure)) throw;
      failures.push_back(failure);
    }
  }
  if (failures.size() == 1) throw failures.front();
  std::string all = "none of the servers could be used:";
  for (const error& failure : failures) all.append("\n  ").append(failure.what());
  throw error{error_info{.code = static_cast<errc>(failures.back().code().value()),
                         .message = std::move(all),
                         .server = {},
                         .retryable = true}};
}

}  // namespace sluice::wire
