// What stays valid when ranges and chunks are moved.
#include <gtest/gtest.h>

#include <memory>
#include <sluice/stream/chunk.hpp>
#include <sluice/stream/typed.hpp>
#include <string>
#include <utility>

#include "bytes.hpp"
#include "listener.hpp"

namespace ranges_test {
namespace {

using sluice::test::backend;
using sluice::test::listener;
using sluice::test::server_end;

std::string three_numbers() {
  backend answer;
  answer.parse_complete().bind_complete().row_description().data_row("1").data_row("2").data_row("3");
  return answer.command_complete("SELECT 3").ready_for_query().bytes;
}

listener::conversation gives_three_numbers() {
  return [](server_end client) {
    client.let_in();
    (void)client.receive();
    client.send(three_numbers());
    client.receive_all();
  };
}

TEST(TypedRange, MovesUnderItsIterators) {
  const listener server{{gives_three_numbers()}};
  sluice::client db{server.dsn()};
  auto rows = std::make_unique<sluice::typed_range<int>>(db.stream<int>(sluice::from("t")));
  auto it = rows->begin();
  EXPECT_EQ(*it, 1);
  const sluice::typed_range<int> moved = std::move(*rows);
  rows.reset();
  ++it;
  EXPECT_EQ(*it, 2);
  ++it;
  EXPECT_EQ(*it, 3);
  ++it;
  EXPECT_TRUE(it == moved.end());
}

TEST(OwnedChunk, IsEmptyOnceItWasMovedFrom) {
  const listener server{{gives_three_numbers()}};
  sluice::client db{server.dsn()};
  sluice::row_range rows = db.stream(sluice::from("t"));
  sluice::owned_chunk first = rows.next().detach();
  EXPECT_TRUE(first);
  sluice::owned_chunk second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): moved-from objects are what is tested
  EXPECT_TRUE(first.begin() == first.end());
  EXPECT_EQ((*second.begin()).text(), "1");
  first = std::move(second);
  EXPECT_FALSE(second);  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(first);
}

}  // namespace
}  // namespace ranges_test
