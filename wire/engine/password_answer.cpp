#include "engine/password_answer.hpp"

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include <asio/any_io_executor.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <sluice/wire/password_reply.hpp>

#include "drive/bell.hpp"
#include "drive/coroutine_driver.hpp"

namespace sluice {

namespace wire {

namespace {

/// Where the answer arrives. Whoever answers may do so when nobody waits any more, and the executor is gone.
class mailbox {
 public:
  using letter = std::variant<std::monostate, secret, std::exception_ptr>;

  explicit mailbox(const asio::any_io_executor& on) : rung_{std::make_unique<bell>(on)} {}

  void put(letter what) {
    const std::lock_guard locked{mutex_};
    if (is_full() || rung_ == nullptr) return;
    letter_ = std::move(what);
    rung_->ring();
  }
  [[nodiscard]] letter take() {
    const std::lock_guard locked{mutex_};
    return std::exchange(letter_, {});
  }
  [[nodiscard]] bool has_mail() const {
    const std::lock_guard locked{mutex_};
    return is_full();
  }
  [[nodiscard]] bell& rung() noexcept { return *rung_; }
  void close() noexcept {
    const std::lock_guard locked{mutex_};
    rung_.reset();
  }

 private:
  [[nodiscard]] bool is_full() const noexcept { return !std::holds_alternative<std::monostate>(letter_); }

  mutable std::mutex mutex_;
  letter letter_;
  std::unique_ptr<bell> rung_;  // null: nobody waits
};

}  // namespace

/// What all copies of a reply share: when the last one goes, nobody will answer.
class password_answer {
 public:
  explicit password_answer(std::shared_ptr<mailbox> to) noexcept : to_{std::move(to)} {}
  ~password_answer() { fail(nullptr); }
  password_answer(const password_answer&) = delete;
  password_answer& operator=(const password_answer&) = delete;

  void give(secret password) { to_->put(std::move(password)); }
  /// @param why  null: there is no answer
  void fail(std::exception_ptr why) noexcept {
    try {
      if (!why)
        why = std::make_exception_ptr(error{errc::bad_state, "the program was asked for the password, and gave none"});
    } catch (...) {
      why = std::current_exception();
    }
    to_->put(std::move(why));
  }

 private:
  std::shared_ptr<mailbox> to_;
};

asio::awaitable<secret> ask_for_password(const conninfo& info, const conninfo::host& host, clock::time_point latest,
                                         const link::context& where) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  const auto box = std::make_shared<mailbox>(on);
  struct closing {
    mailbox& box;
    ~closing() { box.close(); }
  };
  const closing at_the_end{*box};
  const auto check = [&where](bool goes_on) {
    if (!goes_on) throw error{errc::cancelled, where.after("cancelled")};
  };
  // The program may cancel this coroutine in its answer. Asio 1.26 loses how a coroutine ends that is cancelled before
  // it has ever waited; 1.30 does not.
  asio::awaitable<void> turn = asio::post(on, asio::use_awaitable);
  const bool goes_on = co_await uncancelled(std::move(turn));
  check(goes_on);
  {
    const password_request request{.server = host, .user = info.user, .database = info.database, .latest = latest};
    info.ask_password(request, password_reply{std::make_shared<password_answer>(box)});
  }
  const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
  check(asked.cancelled() == asio::cancellation_type::none);
  while (!box->has_mail() && clock::now() < latest) {
    asio::awaitable<void> answer = box->rung().rung(latest);
    const bool still_goes_on = co_await uncancelled(std::move(answer));
    check(still_goes_on);
  }
  mailbox::letter answer = box->take();
  if (std::holds_alternative<std::monostate>(answer))
    throw error{error_info{.code = errc::deadline_exceeded,
                           .message = where.after("the program gave no password in time"),
                           .server = {},
                           .retryable = true}};
  if (const auto* const why = std::get_if<std::exception_ptr>(&answer)) std::rethrow_exception(*why);
  co_return std::get<secret>(std::move(answer));
}

}  // namespace wire

void password_reply::give(secret password) const { to_->give(std::move(password)); }
void password_reply::fail(std::exception_ptr why) const noexcept { to_->fail(std::move(why)); }

}  // namespace sluice
