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
#include "drive/gss.hpp"
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

/// Without GSSAPI encryption, which had failed before.
error also_in_gss(const error& failure, const error& in_gss) {
  return error{error_info{.code = static_cast<errc>(failure.code().value()),
                          .message = std::string{failure.what()} + "\n  with GSSAPI encryption: " + in_gss.what(),
                          .server = failure.server(),
                          .retryable = failure.retryable()}};
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

  /// The ways without GSSAPI, from `sslmode`.
  struct plan {
    bool tls_first;
    bool has_both;
  };
  [[nodiscard]] plan plan_for(const conninfo::host& host) const noexcept {
    const bool has_tls = !host.is_unix_socket() && info_.sslmode != tls_mode::disable;
    return {.tls_first = has_tls && info_.sslmode != tls_mode::allow,
            .has_both = has_tls && info_.sslmode < tls_mode::require};
  }
  /// Whether a refusal of the first way of the plan makes the other one worth a try.
  [[nodiscard]] bool goes_on(const error& failure, const plan& ways) const {
    return ways.has_both && is_no_entry(failure) && in_tls_ == ways.tls_first;
  }

  /// `gssencmode` decides whether GSSAPI encryption comes before all else.
  asio::awaitable<std::shared_ptr<session>> log_in_at(const conninfo::host& host, const endpoint& address,
                                                      clock::time_point deadline, const link::context& where) {
    std::optional<error> in_gss;
    std::optional<error> refusal;
    const bool wants_gss = co_await may_use_gss(host, deadline, where);
    if (!wants_gss) co_return co_await log_in_without_gss(host, address, deadline, where, refusal);
    const plan ways = plan_for(host);
    try {
      co_return co_await attempt(host, address, deadline, where, ways.tls_first, true);
    } catch (const error& failure) {
      const bool is_over = failure.kind() == condition::timeout || failure.kind() == condition::cancelled;
      if (gss_ == gss_state::declined) {
        if (!goes_on(failure, ways)) throw;
        refusal = failure;
      } else if (is_over || info_.gssencmode == gss_mode::require ||
                 !(gss_ == gss_state::begun || (gss_ == gss_state::on && is_no_entry(failure)))) {
        throw;
      } else {
        in_gss = failure;
      }
    }
    try {
      co_return co_await log_in_without_gss(host, address, deadline, where, refusal);
    } catch (const error& failure) {
      if (failure.code() == errc::cancelled || !in_gss) throw;
      throw also_in_gss(failure, *in_gss);
    }
  }

  /// Whether GSSAPI encryption is to be tried; whether there are credentials is found out once.
  asio::awaitable<bool> may_use_gss(const conninfo::host& host, clock::time_point deadline,
                                    const link::context& where) {
    const bool is_required = info_.gssencmode == gss_mode::require;
    if (is_required && !has_gssapi())
      throw error{errc::bad_conninfo,
                  where.after("gssencmode requires GSSAPI, which this build does not have: it needs "
                              "-Dgssapi=enabled")};
    if (is_required && host.is_unix_socket())
      throw error{errc::tls_unavailable,
                  where.after("gssencmode requires GSSAPI encryption, which Unix sockets do not have")};
    const bool needs_tls =
        info_.channel_binding == channel_binding_mode::require || info_.sslcertmode == certificate_mode::require;
    if (is_required && needs_tls)  // the string cannot say so, but a program can
      throw error{errc::bad_conninfo, where.after("gssencmode requires GSSAPI encryption, and channel_binding or "
                                                  "sslcertmode requires TLS")};
    if (needs_tls || !has_gssapi() || info_.gssencmode == gss_mode::disable || host.is_unix_socket()) co_return false;
    if (!no_credentials_) no_credentials_ = co_await missing_credentials(deadline, where);
    const bool has_credentials = no_credentials_->empty();
    if (is_required && !has_credentials)
      throw error{errc::auth_method, where.after("gssencmode requires GSSAPI encryption. " + *no_credentials_)};
    co_return has_credentials;
  }

  /// `sslmode` decides what is tried first, and whether there is a second attempt.
  /// @param refusal  of the first one, if that was made
  asio::awaitable<std::shared_ptr<session>> log_in_without_gss(const conninfo::host& host, const endpoint& address,
                                                               clock::time_point deadline, const link::context& where,
                                                               std::optional<error> refusal) {
    const plan ways = plan_for(host);
    if (!refusal) {
      try {
        co_return co_await attempt(host, address, deadline, where, ways.tls_first, false);
      } catch (const error& failure) {
        if (!goes_on(failure, ways)) throw;
        refusal = failure;
      }
    }
    try {
      co_return co_await attempt(host, address, deadline, where, !ways.tls_first, false);
    } catch (const error& failure) {
      if (failure.code() == errc::cancelled) throw;
      throw neither_way(*refusal, failure, !ways.tls_first);
    }
  }

  /// A connected session, before anything is sent.
  asio::awaitable<std::shared_ptr<session>> open(const conninfo::host& host, const endpoint& address,
                                                 clock::time_point deadline, const link::context& where,
                                                 step_timer& step) {
    const asio::any_io_executor on = co_await asio::this_coro::executor;
    const tcp_options tcp = tcp_options_of(info_);
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
    co_return made;
  }

  asio::awaitable<std::shared_ptr<session>> attempt(const conninfo::host& host, const endpoint& address,
                                                    clock::time_point deadline, const link::context& where, bool in_tls,
                                                    bool in_gss) {
    step_timer step{options_.watch, host, info_.database};
    gss_ = gss_state::untried;
    std::shared_ptr<session> made = co_await open(host, address, deadline, where, step);
    if (in_gss) {
      gss_ = gss_state::begun;
      gss_target service = gss_target_of(info_, host);
      asio::awaitable<bool> start = start_gss(made->io, service);
      const bool secured = co_await std::move(start);
      gss_ = secured ? gss_state::on : gss_state::declined;
      if (secured)
        made->server.gss = std::move(service);
      else if (info_.gssencmode == gss_mode::require)
        made->io.fail(errc::tls_unavailable, "gssencmode requires GSSAPI encryption, and the server does not have it");
      else if (in_tls && info_.sslnegotiation == tls_negotiation::direct)  // which is the first that a server may see
        made = co_await open(host, address, deadline, where, step);
    }
    if (in_tls && !made->server.gss) {
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
  std::optional<std::string> no_credentials_;  // why GSSAPI has none; empty: it has; nothing: not asked yet
  // Of the last attempt: how far GSSAPI encryption got.
  enum class gss_state : std::uint8_t { untried, begun, declined, on };
  gss_state gss_{gss_state::untried};
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
