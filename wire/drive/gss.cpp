#include "drive/gss.hpp"

#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/this_coro.hpp>

#include "drive/coroutine_driver.hpp"
#include "drive/encryption_request.hpp"
#include "drive/own_thread.hpp"
#include "transport/gss_context.hpp"
#include "transport/gss_stream.hpp"

namespace sluice::wire {

namespace {

/// GSSAPI may ask a KDC, which may not answer for a long time.
asio::awaitable<void> in_own_thread(std::function<void()> work, clock::time_point latest, const link::context& where) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  std::optional<own_thread> thread;
  try {
    thread.emplace(on, std::move(work));
  } catch (const std::system_error& no_thread) {
    throw error{error_info{.code = errc::auth_method,
                           .message = where.after("GSSAPI cannot be asked: " + no_thread.code().message()),
                           .server = {},
                           .retryable = true}};
  }
  while (!thread->is_done() && clock::now() < latest) {
    asio::awaitable<void> end = thread->done_or(latest);
    const bool goes_on = co_await uncancelled(std::move(end));
    if (!goes_on) throw error{errc::cancelled, where.after("cancelled")};
  }
  if (!thread->is_done())
    throw error{error_info{.code = errc::deadline_exceeded,
                           .message = where.after("GSSAPI did not end in time; is there a KDC that answers? "
                                                  "gssencmode=disable does without GSSAPI encryption"),
                           .server = {},
                           .retryable = true}};
}

asio::awaitable<void> step_context(const std::shared_ptr<gss_context>& context, std::vector<std::byte> from_server,
                                   const link& io) {
  std::function<void()> work = [context, token = std::move(from_server)] { context->step(token); };
  co_await in_own_thread(std::move(work), io.deadline_at(), io.where);
  if (context->failure().empty()) co_return;
  io.fail(context->is_servers_failure() ? errc::auth_proof : errc::auth_method, context->failure());
}

std::vector<std::byte> copy_of(std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

bool has_gssapi() noexcept { return true; }

gss_target gss_target_of(const conninfo& info, const conninfo::host& host) {
  return {.service = info.krbsrvname + '@' + (host.name.empty() ? host.address : host.name),
          .delegates = info.gssdelegation};
}

asio::awaitable<std::string> missing_credentials(clock::time_point deadline, const link::context& where) {
  const auto why = std::make_shared<std::string>();
  std::function<void()> work = [why] { *why = gss_context::why_no_credentials(); };
  co_await in_own_thread(std::move(work), deadline, where);
  co_return *why;
}

asio::awaitable<bool> start_gss(link& io, gss_target with) {
  io.where.doing = "starting GSSAPI encryption with";
  gss_request request{io};
  co_await run(io, request);
  switch (request.answer()) {
    using enum proto::encryption_answer;
    case yes: break;
    case no: co_return false;
    case error: io.fail(errc::tls_unavailable, "the server answered the request for GSSAPI encryption with an error");
    case early:
      io.fail(errc::tls_failed, "the server, or somebody in between, sent data before GSSAPI encryption began");
    case none:
    case unknown:
      io.fail(errc::tls_failed, "the server answered the request for GSSAPI encryption with neither yes nor no");
  }
  const auto context = std::make_shared<gss_context>(std::move(with), gss_context::purpose::encryption);
  auto made = std::make_unique<gss_stream>(context, io.native_handle());
  gss_stream& stream = *made;
  io.secure(std::move(made));
  do {
    std::vector<std::byte> token = copy_of(stream.token());
    co_await step_context(context, std::move(token), io);
    stream.begin_exchange();
    handshake shake{io};
    co_await run(io, shake);
  } while (!context->is_established());
  co_return true;
}

gss_login::gss_login(gss_target with)
    : context_{std::make_shared<gss_context>(std::move(with), gss_context::purpose::login)} {}

asio::awaitable<void> gss_login::step(link& io, std::span<const std::byte> from_server) {
  std::vector<std::byte> token = copy_of(from_server);
  co_await step_context(context_, std::move(token), io);
}

std::span<const std::byte> gss_login::token() const noexcept { return context_->token(); }
bool gss_login::is_established() const noexcept { return context_->is_established(); }

}  // namespace sluice::wire
