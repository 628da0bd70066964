#pragma once
// Work of an object that may be destroyed while a coroutine waits for that work. The coroutine shares the object's
// state and learns here that the work is no longer wanted.
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/experimental/awaitable_operators.hpp>

#include <sluice/wire/error.hpp>
#include "drive/coroutine_driver.hpp"

#include "drive/bell.hpp"

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
    std::exception_ptr failure;
    asio::awaitable<void> end = first(noting(std::move(work), failure));
    const bool goes_on = co_await wire::uncancelled(std::move(end));
    require();
    if (failure) std::rethrow_exception(failure);
    if (!goes_on) throw error{errc::cancelled, "cancelled"};
  }

 private:
  /// Ends with the work, or with the wish.
  asio::awaitable<void> first(asio::awaitable<void> work) {
    using namespace asio::experimental::awaitable_operators;
    co_await (std::move(work) || bell_.rung());
  }
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
