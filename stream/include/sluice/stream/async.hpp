#pragma once
/// @file
/// Include this to pass a completion token to an asynchronous call: a callback, asio::use_future, asio::deferred, or
/// any of them with asio::bind_cancellation_slot or asio::bind_executor around it.
///
///     stream.next([](std::exception_ptr failure, sluice::chunk rows) { ... });
///     std::future<sluice::command_result> done = conn.execute("vacuum", {}, asio::use_future);
///
/// Every call that returns an asio::awaitable<T> has a form with a token after all its other parameters, options
/// included; `write` takes the values of a row as a tuple. The signature is `void(std::exception_ptr, T)`, or
/// `void(std::exception_ptr)` without a T; after a failure the T is default-constructed. Calls without an object that
/// knows its executor (`connect`, `stream_in_parallel`, `follow` and the like, `notifications`) are given one as their
/// first parameter.
///
/// Arguments are copied immediately, as for a coroutine, except the path of `split_by`: it is a view, and must live
/// until the call has begun. The call runs on that executor, and never completes inside the function that
/// begins it. The handler gets every exception that the awaitable would throw. One of them is changed: Asio's
/// operation_aborted, its error for a cancelled coroutine, becomes `cancelled`. A cancellation slot accepts
/// cancellation of type terminal; the call then ends with `cancelled`, and if it had not begun, nothing is sent.

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>
#include <asio/executor_work_guard.hpp>

#include <sluice/stream/token.hpp>
#include <sluice/wire/asio_errors.hpp>
#include <sluice/wire/error.hpp>

namespace sluice {

namespace detail {

template <class T>
struct signature_of {
  using type = void(std::exception_ptr, T);
};
template <>
struct signature_of<void> {
  using type = void(std::exception_ptr);
};

template <class T>
asio::awaitable<T> failed(std::exception_ptr why) {
  std::rethrow_exception(std::move(why));
  co_return T();
}

/// Turns an exception that the call itself throws into one that its awaitable throws.
template <class Call>
auto started(const Call& call) -> decltype(call()) {
  try {
    return call();
  } catch (...) {
    return failed<typename decltype(call())::value_type>(std::current_exception());
  }
}

/// Replaces Asio's error for a coroutine that was cancelled before its first wait with the library's.
inline std::exception_ptr in_our_terms(std::exception_ptr thrown) {
  if (!thrown) return thrown;
  try {
    std::rethrow_exception(thrown);
  } catch (const wire::asio_failure& failure) {
    if (failure.code() != asio::error::operation_aborted) return thrown;
    return std::make_exception_ptr(error{errc::cancelled, "cancelled"});
  } catch (...) {
    return thrown;
  }
}

/// Between a caller's slot and the coroutine. Whether a coroutine learns of a cancellation that comes before it has
/// begun depends on the version of Asio; this tells it.
struct early_cancellation {
  asio::cancellation_signal passed_on{};
  bool has_come{false};

  static std::shared_ptr<early_cancellation> in(asio::cancellation_slot slot) {
    auto made = std::make_shared<early_cancellation>();
    slot.assign([made](asio::cancellation_type type) {
      made->has_come = true;
      made->passed_on.emit(type);
    });
    return made;
  }
};

template <class T>
asio::awaitable<T> unless_cancelled(std::shared_ptr<early_cancellation> by, asio::awaitable<T> work) {
  if (by && by->has_come) throw error{errc::cancelled, "cancelled"};
  co_return co_await std::move(work);
}

/// A handler whose type is forgotten: Asio's templates for coroutines are compiled once for each type of result, and
/// not once for each call. It is called on its own executor.
template <class Signature>
class any_handler;
template <class... Result>
class any_handler<void(std::exception_ptr, Result...)> {
 public:
  template <class Handler>
  any_handler(Handler handler, const asio::any_io_executor& otherwise)
      : kept_{std::make_unique<kept<Handler>>(std::move(handler), otherwise)} {}
  void operator()(std::exception_ptr thrown, Result... result) {
    kept_->complete(in_our_terms(std::move(thrown)), std::move(result)...);
  }

 private:
  struct any {
    any() = default;
    any(const any&) = delete;
    any& operator=(const any&) = delete;
    virtual ~any() = default;
    virtual void complete(std::exception_ptr thrown, Result... result) = 0;
  };
  template <class Handler>
  struct kept final : any {
    using executor = asio::associated_executor_t<Handler, asio::any_io_executor>;

    kept(Handler given, const asio::any_io_executor& otherwise)
        : handler{std::move(given)}, work{asio::get_associated_executor(handler, otherwise)} {}
    void complete(std::exception_ptr thrown, Result... result) override {
      asio::dispatch(work.get_executor(), [handler = std::move(handler), thrown = std::move(thrown),
                                           ... result = std::move(result)]() mutable {
        std::move(handler)(std::move(thrown), std::move(result)...);
      });
    }

    Handler handler;
    asio::executor_work_guard<executor> work;  ///< keeps its context from running out of work until then
  };

  std::unique_ptr<any> kept_;
};

template <class T, class Signature>
void spawn(const asio::any_io_executor& on, asio::awaitable<T> work, asio::cancellation_slot slot,
           any_handler<Signature> handler) {
  std::shared_ptr<early_cancellation> early;
  if (slot.is_connected()) {
    early = early_cancellation::in(slot);
    slot = early->passed_on.slot();
  }
  asio::co_spawn(on, unless_cancelled(std::move(early), std::move(work)),
                 asio::bind_cancellation_slot(slot, std::move(handler)));
}

template <class Call, class Token>
auto with_token(const asio::any_io_executor& on, const Call& call, Token&& token) {
  using work = decltype(call());
  using signature = typename signature_of<typename work::value_type>::type;
  return asio::async_initiate<Token, signature>(
      [on](auto handler, work begun) {
        const asio::cancellation_slot slot = asio::get_associated_cancellation_slot(handler);
        spawn(on, std::move(begun), slot, any_handler<signature>{std::move(handler), on});
      },
      token, started(call));
}

}  // namespace detail

}  // namespace sluice
