#pragma once
// Work of an object that may be destroyed while a coroutine waits for that work. The coroutine shares the object's
// state and learns here that the work is no longer wanted.
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/this_coro.hpp>

#include <sluice/wire/error.hpp>

#include "transport/bell.hpp"

namespace sluice::detail {

class wish {
 public:
  /// @param words  the error's message once it has ended; a literal
  wish(const asio::any_io_executor& on, std::string_view words) : bell_{on}, words_{words} {}

  void end() {
    is_over_ = true;
    bell_.ring();
  }
  [[nodiscard]] bool is_over() const noexcept { return is_over_; }
  /// @par Errors  throws error: cancelled once it has ended
  void require() const {
    if (is_over_) throw error{errc::cancelled, std::string{words_}};
  }

  /// Runs work, which ends early if the wish does.
  /// @par Errors  throws error: cancelled; what the work throws
  asio::awaitable<void> unless_over(asio::awaitable<void> work) {
    using namespace asio::experimental::awaitable_operators;
    std::exception_ptr failure;
    bool aborted = false;
    try {
      co_await (noting(std::move(work), failure) || bell_.rung());
    } catch (const std::system_error&) {  // how Asio reports that this coroutine was cancelled before it could wait
      aborted = true;
    }
    const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
    aborted = aborted || asked.cancelled() != asio::cancellation_type::none;
    require();
    if (failure) std::rethrow_exception(failure);
    if (aborted) throw error{errc::cancelled, "cancelled"};
  }

 private:
  static asio::awaitable<void> noting(asio::awaitable<void> work, std::exception_ptr& failure) {
    try {
      co_await std::move(work);
    } catch (...) {
      failure = std::current_exception();
    }
  }

  wire::bell bell_;
  std::string_view words_;
  bool is_over_{false};
};

}  // namespace sluice::detail
