// LISTEN and NOTIFY through a stream: which notifications arrive, in which order, and what is reported about missed
// ones.
#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <sluice/sluice.hpp>
#include <sluice/stream/notifications.hpp>
#include <string>
#include <thread>

#include "cluster.hpp"
#include "faces.hpp"

namespace notifications_test {
namespace {

using namespace sluice::test;
using namespace std::chrono_literals;
using sluice::listen_event;
using sluice::notifications;

/// Waits until the backend with this application name has run LISTEN.
void wait_until_listening(const std::string& name) {
  wait_until("exists (select from pg_stat_activity where application_name = '" + name +
             "' and state = 'idle' and query like 'listen%')");
}

std::string as(const std::string& name) { return dsn() + " application_name=" + name; }

asio::awaitable<void> hear_in_order() {
  const std::string odd = R"(Odd "channel"; --)";
  notifications news{as("order_test"), {"plain", odd}};
  EXPECT_FALSE(news.is_connected());
  std::string heard;
  bool sent = false;
  const auto send = [&] {
    wait_until_listening("order_test");
    psql("notify plain, 'one'; notify \"Odd \"\"channel\"\"; --\", 'two'; notify other, 'no'; notify plain, 'three'");
    sent = true;
  };
  std::thread sender{send};
  for (int i = 0; i < 3; ++i) {
    const listen_event event = co_await news.next();
    EXPECT_EQ(event.is, listen_event::kind::heard);
    heard += event.what.channel + '=' + event.what.payload + ' ';
  }
  sender.join();
  EXPECT_TRUE(sent);
  EXPECT_TRUE(news.is_connected());
  EXPECT_EQ(heard, "plain=one " + odd + "=two plain=three ");
}
TEST(Notifications, AreHeardInTheirOrder) { run(hear_in_order()); }

asio::awaitable<void> listen_first() {
  notifications news{as("listen_test"), {"Early \"bird\""}};
  co_await news.listen();
  EXPECT_TRUE(news.is_connected());
  psql(R"(notify "Early ""bird""", 'before the first next')");
  const listen_event event = co_await news.next();
  EXPECT_EQ(event.is, listen_event::kind::heard);
  EXPECT_EQ(event.what.payload, "before the first next");
  co_await news.listen();  // it is listening already
}
TEST(Notifications, AreHeardFromTheMomentThatListenReturns) { run(listen_first()); }

asio::awaitable<void> lose_what_was_listened_to() {
  const sluice::listen_options soon{.backoff = 1ms};
  notifications news{as("lost_test"), {"lost_channel"}, soon};
  co_await news.listen();
  psql("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'lost_test'");
  const listen_event gap = co_await news.next();
  EXPECT_EQ(gap.is, listen_event::kind::gap);
}
TEST(Notifications, ThatListenHasPromisedAreAGapWhenTheConnectionIsLost) { run(lose_what_was_listened_to()); }

asio::awaitable<void> hear_long_ones() {
  const sluice::listen_options small{.connection = {.buffer_bytes = 4'096}};
  notifications news{tcp_dsn() + " sslmode=require", {"long_channel"}, small};
  co_await news.listen();
  psql("select pg_notify('long_channel', repeat('x', 7000) || n) from generate_series(1, 3) n");
  for (const char* end : {"x1", "x2", "x3"}) {
    const listen_event event = co_await news.next();
    EXPECT_EQ(event.what.payload.size(), 7'001U);
    EXPECT_TRUE(event.what.payload.ends_with(end));
  }
}
TEST(Notifications, MayBeLongerThanTheBuffer) { run(hear_long_ones()); }

asio::awaitable<void> lose_the_connection() {
  const sluice::listen_options soon{.backoff = 1ms};
  notifications news{as("gap_test"), {"gap_channel"}, soon};
  std::thread sender{[] {
    wait_until_listening("gap_test");
    psql("notify gap_channel, 'before'");
  }};
  const listen_event before = co_await news.next();
  sender.join();
  EXPECT_EQ(before.what.payload, "before");

  psql("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'gap_test'");
  psql("notify gap_channel, 'missed'");
  const listen_event gap = co_await news.next();
  EXPECT_EQ(gap.is, listen_event::kind::gap);
  psql("notify gap_channel, 'after'");
  const listen_event after = co_await news.next();
  EXPECT_EQ(after.is, listen_event::kind::heard);
  EXPECT_EQ(after.what.payload, "after");
}
TEST(Notifications, SayWhenSomethingMayHaveBeenMissed) { run(lose_the_connection()); }

asio::awaitable<void> be_patient() {
  const sluice::listen_options often{.check_interval = 5ms};
  notifications news{as("patient_test"), {"patience"}, often};
  std::thread sender{[] {
    // The client's check whether the server is alive reads notifications as well.
    wait_until("exists (select from pg_stat_activity where application_name = 'patient_test' and query = '')");
    psql("notify patience");
  }};
  const listen_event event = co_await news.next();
  sender.join();
  EXPECT_EQ(event.is, listen_event::kind::heard);
  EXPECT_EQ(event.what.payload, "");
}
TEST(Notifications, AskWhetherTheServerIsStillThere) { run(be_patient()); }

asio::awaitable<void> listen_until(notifications& news, std::optional<sluice::errc>& why) {
  try {
    (void)co_await news.next();
  } catch (const sluice::error& failure) {
    why = static_cast<sluice::errc>(failure.code().value());
  }
}

TEST(Notifications, CanBeCancelledAndGoOn) {
  asio::io_context context{1};
  notifications news{as("cancel_test"), {"cancelling"}};
  std::optional<sluice::errc> why;
  asio::cancellation_signal stop;
  asio::co_spawn(context, listen_until(news, why), asio::bind_cancellation_slot(stop.slot(), asio::detached));
  while (!news.is_connected()) context.run_one();
  asio::post(context, [&] { stop.emit(asio::cancellation_type::terminal); });
  context.run();
  EXPECT_EQ(why, sluice::errc::cancelled);
  EXPECT_TRUE(news.is_connected());

  psql("notify cancelling, 'still here'");
  std::string heard;
  const auto again = [](notifications& from, std::string& to) -> asio::awaitable<void> {
    const listen_event event = co_await from.next();
    to = event.what.payload;
  };
  asio::co_spawn(context, again(news, heard), asio::detached);
  context.restart();
  context.run();
  EXPECT_EQ(heard, "still here");
}

TEST(Notifications, GiveUpWhenAnotherTryCannotHelp) {
  asio::io_context context{1};
  notifications news{as_user("scram_user") + " password=wrong", {"x"}};
  std::optional<sluice::errc> why;
  asio::co_spawn(context, listen_until(news, why), asio::detached);
  context.run();
  EXPECT_EQ(why, sluice::errc::auth_rejected);
  EXPECT_THROW((notifications{dsn(), {""}}), sluice::error);
}

/// The error of a waiting call when its notifications are destroyed.
asio::awaitable<void> destroy_under(bool listens, const std::string& where) {
  const asio::any_io_executor on = co_await asio::this_coro::executor;
  auto news = std::make_unique<notifications>(where, std::vector<std::string>{"gone"});
  if (listens) co_await news->listen();
  std::optional<std::error_code> ended;
  const auto note = [&ended](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
      ended = std::error_code{};
    } catch (const sluice::error& e) {
      ended = e.code();
    }
  };
  if (listens)
    asio::co_spawn(on, news->next(), [note](std::exception_ptr failure, const listen_event&) { note(failure); });
  else
    asio::co_spawn(on, news->listen(), note);
  for (int i = 0; i < 10; ++i) co_await asio::post(on, asio::use_awaitable);
  EXPECT_FALSE(ended);
  news.reset();
  while (!ended) co_await asio::post(on, asio::use_awaitable);
  EXPECT_EQ(*ended, sluice::errc::cancelled);
}

TEST(Notifications, MayGoWhileACallWaits) {
  run(destroy_under(true, dsn()));
  run(destroy_under(false, "host=127.0.0.1 port=1 dbname=none connect_timeout=0"));  // while it backs off
}

}  // namespace
}  // namespace notifications_test
