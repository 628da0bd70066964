#include <sluice/wire/connect.hpp>

#include <openssl/crypto.h>

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

asio::awaitable<void> log_in(session& on, const proto::login& who) {
  login_conversation conversation{on, who};
  while (!conversation.advance()) {
    const link::moved moved = on.io.transfer(conversation.wanted());
    if (moved == link::moved::end) on.io.fail_lost();
    if (moved == link::moved::something) continue;
    co_await on.io.ready();
    on.io.check_wait();
  }
}

/// For one name to resolve, or one address to let us in.
clock::time_point deadline_of(const conninfo& info) {
  return info.connect_timeout.count() > 0 ? clock::now() + info.connect_timeout : clock::time_point::max();
}

/// Everything that has to do with one address of one host.
asio::awaitable<std::shared_ptr<session>> try_address(const conninfo& info, const conninfo::host& host,
                                                      const endpoint& address, const session_options& options,
                                                      const link::context& where) {
  const clock::time_point deadline = deadline_of(info);
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  socket connected = co_await dial(on, address, deadline, where);
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
  who.allow_cleartext = host.is_unix_socket();
  co_await log_in(*made, who);
  made->io.set_deadline(clock::time_point::max());
  co_return made;
}

/// Whether another host may do better: this one could not be reached, or does not take connections now.
bool is_worth_another_host(const error& failure) {
  if (failure.kind() == condition::connection || failure.kind() == condition::timeout) return true;
  return failure.sqlstate() == "57P03";
}

/// Nothing weaker than what was asked for: TLS is not built in yet, and nobody who requires it gets plain text.
void refuse_what_needs_tls(const conninfo& info, const link::context& where) {
  if (info.sslmode <= tls_mode::prefer) return;
  throw error{
      errc::tls_unavailable,
      "sslmode requires TLS, which this version of sluice does not have yet (connecting to " + where.place + ")"};
}

}  // namespace

asio::awaitable<std::shared_ptr<session>> connect(conninfo info, session_options options) {
  std::vector<error> failures;
  for (const conninfo::host& host : info.hosts) {
    link::context where{.place = "database \"" + info.database + "\" at " + host.to_string()};
    try {
      if (!host.is_unix_socket()) refuse_what_needs_tls(info, where);
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
