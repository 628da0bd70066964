// Messages that a server sends among the rows: notices, notifications, changed parameters.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace asides_test {
namespace {

using namespace sluice::test;
using sluice::sql;

void make_noisy() {
  psql(R"(create or replace function noisy(n int) returns json language plpgsql as $$ begin
            raise notice 'row %', n using detail = 'of many', hint = 'listen', errcode = '01999';
            if n % 10 = 0 then perform set_config('application_name', 'a' || n, false); end if;
            return to_json(n); end $$)");
}

template <class Rows>
void expect_in_order(const Rows& notices) {
  ASSERT_EQ(notices.size(), 500U);
  for (std::size_t i = 0; i < notices.size(); ++i) EXPECT_EQ(notices[i].message, "row " + std::to_string(i + 1));
  EXPECT_EQ(notices[0].severity, "NOTICE");
  EXPECT_EQ(notices[0].sqlstate, "01999");
  EXPECT_EQ(notices[0].detail, "of many");
  EXPECT_EQ(notices[0].hint, "listen");
}

std::string numbers(int last) {
  std::string text;
  for (int n = 1; n <= last; ++n) text += std::to_string(n);
  return text;
}

TEST(Notices, ComeWithTheirFieldsAndTakeNoRowAway) {
  make_noisy();
  sluice::client db{dsn()};
  std::vector<sluice::server_message> heard;
  db.on_notice([&](const sluice::server_message& notice) { heard.push_back(notice); });
  EXPECT_EQ(answer(db, sql("select noisy(n) from generate_series(1, 500) n")), numbers(500));
  expect_in_order(heard);
  EXPECT_EQ(db.parameter("application_name"), "a500");
}

TEST(Notices, AreToldToAnObserver) {
  struct listener final : sluice::observer {
    std::vector<sluice::server_message> heard;
    void on_notice(const sluice::server_message& notice) noexcept override { heard.push_back(notice); }
  };
  make_noisy();
  listener watch;
  sluice::client db{dsn(), {.watch = &watch}};
  EXPECT_EQ(answer(db, sql("select noisy(n) from generate_series(1, 500) n")), numbers(500));
  expect_in_order(watch.heard);
}

asio::awaitable<void> hear_notices() {
  sluice::connection db = co_await sluice::connect(tcp_dsn());
  std::vector<sluice::server_message> heard;
  db.on_notice([&](const sluice::server_message& notice) { heard.push_back(notice); });
  const sluice::query noisy = sql("select noisy(n) from generate_series(1, 500) n");
  const std::string got = co_await answer(db, noisy);
  EXPECT_EQ(got, numbers(500));
  expect_in_order(heard);
  EXPECT_EQ(db.parameter("application_name"), "a500");
}

TEST(Notices, ComeToACoroutineToo) {
  make_noisy();
  run(hear_notices());
}

struct heard_enough {};

TEST(Notices, WhatAHandlerThrowsComesOutAndClosesTheConnection) {
  make_noisy();
  sluice::client db{dsn()};
  db.on_notice([](const sluice::server_message&) { throw heard_enough{}; });
  EXPECT_THROW((void)db.execute("select noisy(1)"), heard_enough);
  EXPECT_TRUE(db.is_closed());
}

asio::awaitable<void> hear_enough() {
  sluice::connection db = co_await sluice::connect(tcp_dsn());
  db.on_notice([](const sluice::server_message&) { throw heard_enough{}; });
  bool came_out = false;
  try {
    (void)co_await db.execute("select noisy(1)");
  } catch (const heard_enough&) {
    came_out = true;
  }
  EXPECT_TRUE(came_out);
  EXPECT_TRUE(db.is_closed());
}

TEST(Notices, WhatAHandlerThrowsComesOutOfACoroutineToo) {
  make_noisy();
  run(hear_enough());
}

TEST(Notifications, ArriveBetweenAQueryAndTheNext) {
  sluice::client db{dsn()};
  std::vector<std::string> heard;
  db.on_notification([&](const sluice::notification& n) {
    heard.push_back(n.channel + ':' + n.payload);
    EXPECT_NE(n.pid, 0U);
  });
  db.execute("listen \"news of the day\"");
  EXPECT_EQ(answer(db, sql("select to_json(pg_notify('news of the day', 'own')::text)")), "\"\"");
  for (int i = 0; i < 3; ++i) psql("notify \"news of the day\", '" + std::to_string(i) + "'");
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
  EXPECT_EQ(heard, (std::vector<std::string>{"news of the day:own", "news of the day:0", "news of the day:1",
                                             "news of the day:2"}));
}

TEST(Parameters, AreWhatTheServerSaidLast) {
  sluice::client db{dsn()};
  EXPECT_EQ(db.parameter("client_encoding"), "UTF8");
  EXPECT_EQ(db.parameter("server_version"), psql("show server_version"));
  EXPECT_EQ(db.parameter("TimeZone"), "UTC");
  db.execute("set timezone to 'Asia/Tokyo'");
  EXPECT_EQ(db.parameter("TimeZone"), "Asia/Tokyo");
  EXPECT_EQ(db.parameter("no such parameter"), "");
}

}  // namespace
}  // namespace asides_test
