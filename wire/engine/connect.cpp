#include "engine/connect.hpp"

#include <pwd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <asio/this_coro.hpp>

#include "drive/dial.hpp"
#include "tables/sqlstate.hpp"
#include "transport/open_span.hpp"
#include "transport/printable.hpp"

#include "drive/secure.hpp"
#include "engine/login.hpp"
#include "engine/password_answer.hpp"
#include "engine/session_target.hpp"
#include "transport/peer.hpp"

namespace sluice::wire {

namespace {

/// The limit for resolving one name, or for connecting and logging in at one address.
clock::time_point deadline_of(const conninfo& info) { return limit_after(clock::now(), info.connect_timeout); }

/// `requirepeer`: the server process at the other end of a Unix socket must belong to that user.
void check_peer(const conninfo& info, std::optional<std::uint32_t> peer, const link::context& where) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> names{};
  if (!peer || ::getpwuid_r(*peer, &entry, names.data(), names.size(), &found) != 0 || found == nullptr ||
      info.requirepeer != found->pw_name)
    throw error{errc::auth_proof, where.after("the server does not run as the user that requirepeer names")};
}

tcp_options tcp_options_of(const conninfo& info) {
  return {.keepalives = info.keepalives,
          .idle = info.keepalives_idle,
          .interval = info.keepalives_interval,
          .count = info.keepalives_count,
          .user_timeout = info.tcp_user_timeout};
}

std::vector<conninfo::host> hosts_in_order(const conninfo& info) {
  std::vector<conninfo::host> hosts = info.hosts;
  if (info.load_balance_hosts == host_order::random) std::shuffle(hosts.begin(), hosts.end(), std::random_device{});
  return hosts;
}

/// Whether another host is worth trying: this one could not be reached, or accepts no connections now.
bool is_worth_another_host(const error& failure) {
  if (failure.kind() == condition::connection || failure.kind() == condition::timeout) return true;
  return proto::sqlstate{failure.sqlstate()} == proto::sqlstate::cannot_connect_now;
}

/// Whether the server refused this way of connecting but may accept the other one: with TLS, or without.
bool is_no_entry(const error& failure) {
  return proto::sqlstate{failure.sqlstate()} == proto::sqlstate::invalid_authorization_specification;
}

error neither_way(const error& first, const error& second, bool second_is_tls) {
  return error{error_info{
      .code = static_cast<errc>(first.code().value()),
      .message = std::string{first.what()} + (second_is_tls ? "\n  with TLS: " : "\n  without TLS: ") + second.what(),
      .server = first.server(),
      .retryable = first.retryable()}};
}

/// Reports to the observer, if there is one, how long a step of connecting took and how it ended.
class step_timer {
 public:
  step_timer(observer* watch, const conninfo::host& host, std::string_view database)
      : watch_{watch}, host_{watch == nullptr ? std::string{} : host.to_string()}, database_{database} {}

  using callback = void (observer::*)(const connect_event&) noexcept;

  template <class T>
  asio::awaitable<T> timed(callback tell, asio::awaitable<T> work) {
    if (watch_ == nullptr) return work;
    return watched(tell, std::move(work));
  }

  std::string_view tls_version;

 private:
  template <class T>
  asio::awaitable<T> watched(callback tell, asio::awaitable<T> work) {
    const clock::time_point began = clock::now();
    try {
      if constexpr (std::is_void_v<T>) {
        co_await std::move(work);
        report(tell, began, nullptr);
      } else {
        T result = co_await std::move(work);
        report(tell, began, nullptr);
        co_return result;
      }
    } catch (const error& failure) {
      report(tell, began, &failure);
      throw;
    }
  }
  void report(callback tell, clock::time_point began, const error* failure) const noexcept {
    (watch_->*tell)({.host = host_,
                     .database = database_,
                     .took = clock::now() - began,
                     .tls_version = tls_version,
                     .failure = failure});
  }

  observer* watch_;
  std::string host_;
  std::string_view database_;
};

/// The search for a server that accepts the login.
class search {
 public:
  search(const conninfo& info, const session_options& options) : info_{info}, options_{options} {}

  /// @return null if no server of that kind was found
  asio::awaitable<std::shared_ptr<session>> run(session_target wanted) {
    failures_.clear();
    for (const conninfo::host& host : hosts_in_order(info_)) {
      const link::context where{.place = "database \"" + printable(info_.database) + "\" at " + host.to_string()};
      std::vector<endpoint> addresses;
      try {
        if (info_.ask_password) password_ = co_await ask_for_password(info_, host, deadline_of(info_), where);
        addresses = co_await resolve(host, deadline_of(info_), where);
      } catch (const error& failure) {
        note(failure);
      }
      for (const endpoint& address : addresses) {
        try {
          const clock::time_point deadline = deadline_of(info_);
          std::shared_ptr<session> made = co_await log_in_at(host, address, deadline, where);
          const std::string_view why = co_await mismatch(*made, wanted);
          if (why.empty()) {
            made->io.set_deadline(clock::time_point::max());
            co_return made;
          }
          failures_.emplace_back(errc::connect_failed, where.after(why));
          made->close();
          break;  // its other addresses lead to the same server
        } catch (const error& failure) {
          note(failure);
        }
      }
    }
    co_return nullptr;
  }

  [[noreturn]] void fail() const {
    if (failures_.size() == 1) throw failures_.front();
    std::string all = "none of the servers could be used:";
    for (const error& failure : failures_) all.append("\n  ").append(failure.what());
    throw error{error_info{.code = static_cast<errc>(failures_.back().code().value()),
                           .message = std::move(all),
                           .server = {},
                           .retryable = true}};
  }

 private:
  void note(const error& failure) {
    if (!is_worth_another_host(failure)) throw failure;
    failures_.push_back(failure);
  }

  /// `sslmode` decides what is tried first, and whether there is a second attempt.
  asio::awaitable<std::shared_ptr<session>> log_in_at(const conninfo::host& host, const endpoint& address,
                                                      clock::time_point deadline, const link::context& where) {
    const bool has_tls = !host.is_unix_socket() && info_.sslmode != tls_mode::disable;
    const bool tls_first = has_tls && info_.sslmode != tls_mode::allow;
    const bool has_both = has_tls && info_.sslmode < tls_mode::require;
    std::optional<error> refusal;
    try {
      co_return co_await attempt(host, address, deadline, where, tls_first);
    } catch (const error& failure) {
      if (!has_both || !is_no_entry(failure) || in_tls_ != tls_first) throw;
      refusal = failure;
    }
    try {
      co_return co_await attempt(host, address, deadline, where, !tls_first);
    } catch (const error& failure) {
      if (failure.code() == errc::cancelled) throw;
      throw neither_way(*refusal, failure, !tls_first);
    }
  }

  asio::awaitable<std::shared_ptr<session>> attempt(const conninfo::host& host, const endpoint& address,
                                                    clock::time_point deadline, const link::context& where,
                                                    bool in_tls) {
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    const tcp_options tcp = tcp_options_of(info_);
    step_timer step{options_.watch, host, info_.database};
    socket connected = co_await step.timed(&observer::on_dial, dial(on, address, deadline, where, tcp));
    const std::optional<std::uint32_t> peer = peer_user(connected);
    if (!info_.requirepeer.empty() && host.is_unix_socket()) check_peer(info_, peer, where);
    const auto made = std::make_shared<session>(std::move(connected), options_.limits, options_.buffer_bytes,
                                                options_.first_buffer_bytes);
    made->server.host = host;
    made->server.peer = peer;
    made->server.database = info_.database;
    made->patience = options_.patience;
    made->warn_at = options_.warn_at;
    made->io.where = where;
    made->io.set_deadline(deadline);
    made->engine.statements = statement_cache{options_.statements};
    made->watch = options_.watch;
    if (options_.watch != nullptr) {
      made->engine.warn_of_rows_from(
          static_cast<std::size_t>(options_.warn_at * static_cast<double>(options_.limits.row)));
      if (options_.trace) made->io.trace(*options_.watch);
    }
    if (in_tls) {
      if (security_ == nullptr) security_ = std::make_shared<const tls_context>(info_, where);
      const bool secured = co_await step.timed(&observer::on_tls, start_tls(made->io, security_, host));
      if (secured) made->server.security = security_;
    }
    in_tls_ = made->server.security != nullptr;
    step.tls_version = made->tls_version();
    co_await step.timed(&observer::on_authentication, log_in(*made, info_, host, password_));
    co_return made;
  }

  const conninfo& info_;
  const session_options& options_;
  std::shared_ptr<const tls_context> security_;
  std::optional<secret> password_;  // that the program has given for this server
  std::vector<error> failures_;
  bool in_tls_{false};  // for the last attempt that got as far as logging in
};

}  // namespace

namespace {

asio::awaitable<std::shared_ptr<session>> find_server(const conninfo& info, const session_options& options) {
  search servers{info, options};
  std::shared_ptr<session> found;
  if (info.target_session_attrs == session_target::prefer_standby) {
    found = co_await servers.run(session_target::standby);
    if (found == nullptr) found = co_await servers.run(session_target::any);
  } else {
    found = co_await servers.run(info.target_session_attrs);
  }
  if (found == nullptr) servers.fail();
  co_return found;
}

}  // namespace

asio::awaitable<std::shared_ptr<session>> connect(conninfo info, session_options options) {
  const clock::time_point began = clock::now();
  open_span span{options.watch, options.parent, began};
  const auto report = [&](const session* made, const error* failure) {
    if (options.watch == nullptr) return;
    const std::string host = made == nullptr ? std::string{} : made->server.host.to_string();
    options.watch->on_connect({.host = host,
                               .database = info.database,
                               .took = clock::now() - began,
                               .tls_version = made == nullptr ? std::string_view{} : made->tls_version(),
                               .failure = failure});
    span.end({.is = span_event::kind::connect, .host = host, .database = info.database, .failure = failure});
  };
  try {
    std::shared_ptr<session> found = co_await find_server(info, options);
    report(found.get(), nullptr);
    co_return found;
  } catch (const error& failure) {
    report(nullptr, &failure);
    throw;
  }
}

}  // namespace sluice::wire
