// What writes, over a connection that is cut after each byte of the client: what the call said is what is stored. Cuts
// of the server's bytes are in transaction_test.cpp.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>

#include <sluice/sluice.hpp>
#include <sluice/stream/copy.hpp>
#include <sluice/stream/single_row.hpp>

#include "cluster.hpp"
#include "faces.hpp"
#include "relay.hpp"

namespace cut_writes_test {
namespace {

using namespace sluice::test;
using sluice::errc;
using sluice::sql;

enum class cut_work : std::uint8_t { commit, copy };
const sluice::query cut_insert = sql("insert into cut_writes values (1), (2)");

struct loop_face {
  static void write(const std::string& where, cut_work what) {
    sluice::client db{where};
    if (what == cut_work::copy) {
      sluice::blocking_copy_writer to = db.copy_into("cut_writes", "n");
      for (const int n : {1, 2}) to.write(n);
      to.finish();
      return;
    }
    sluice::blocking_transaction tx = db.begin();
    tx.execute(cut_insert);
    tx.commit();
  }
};

struct awaiting_face {
  static asio::awaitable<void> write_to(std::string where, cut_work what) {
    sluice::connection db = co_await sluice::connect(where);
    if (what == cut_work::copy) {
      sluice::copy_writer to = co_await db.copy_into("cut_writes", "n");
      for (int n = 1; n < 3; ++n) co_await to.write(n);
      (void)co_await to.finish();
      co_return;
    }
    sluice::transaction tx = co_await db.begin();
    (void)co_await tx.execute(cut_insert);
    co_await tx.commit();
  }
  static void write(const std::string& where, cut_work what) { run(write_to(where, what)); }
};

template <class Face>
class CutRequests : public testing::Test {
 protected:
  CutRequests() {
    psql("drop table if exists cut_writes; create table cut_writes (n int); grant all on cut_writes to trust_user");
  }

  static std::string through(const relay& between) {
    return as_user("trust_user") + " sslmode=disable port=" + std::to_string(between.port());
  }
  static std::uint16_t server_port() {
    return static_cast<std::uint16_t>(std::stoi(cluster_value("SLUICE_TEST_PORT")));
  }

  /// The client's bytes of all of it, the login and the Terminate included.
  std::uint64_t size_of(cut_work what) {
    std::uint64_t size = 0;
    {
      relay between{server_port()};
      Face::write(through(between), what);
      (void)between.conversation();
      size = between.from_client();
    }
    EXPECT_EQ(stored(), "2");
    return size;
  }
  /// @return what the call said: "yes", "no", "unknown"
  static std::string write_over(std::uint64_t bytes, cut how, cut_work what) {
    relay between{server_port(), relay::all, how};
    between.cut_requests_after(bytes);
    try {
      Face::write(through(between), what);
    } catch (const sluice::error& why) {
      EXPECT_EQ(why.kind(), sluice::condition::connection) << why.what();
      return why.code() == errc::outcome_unknown ? "unknown" : "no";
    }
    return "yes";
  }
  /// Once the server has noticed that the connection is gone.
  std::string stored() {
    const auto is_there = sql("select exists (select from pg_stat_activity where usename = 'trust_user')");
    while (sluice::value<bool>(look_, is_there)) {
    }
    const std::int64_t rows = sluice::value<std::int64_t>(look_, sql("select count(*) from cut_writes"));
    look_.execute("truncate cut_writes");
    return std::to_string(rows);
  }

 private:
  sluice::client look_{dsn()};
};
using cut_faces = testing::Types<loop_face, awaiting_face>;
TYPED_TEST_SUITE(CutRequests, cut_faces);

/// Of a conversation: from within the statement before COMMIT on, or from before a COPY's data on.
constexpr std::uint64_t last_bytes{70};

/// Whatever part of COMMIT has arrived, it says that it does not know; without all of it nothing is stored.
TYPED_TEST(CutRequests, OfATransaction) {
  const std::uint64_t size = this->size_of(cut_work::commit);
  for (const cut how : {cut::close, cut::reset}) {
    std::set<std::string> seen;
    for (std::uint64_t bytes = size - last_bytes; bytes < size; ++bytes) {
      const std::string said = this->write_over(bytes, how, cut_work::commit);
      seen.insert(said);
      EXPECT_EQ(this->stored(), said == "yes" ? "2" : "0") << "after " << bytes << " bytes it said " << said;
    }
    EXPECT_EQ(seen, (std::set<std::string>{"no", "unknown", "yes"}));
  }
}

TYPED_TEST(CutRequests, OfACopy) {
  const std::uint64_t size = this->size_of(cut_work::copy);
  std::set<std::string> seen;
  for (std::uint64_t bytes = size - last_bytes; bytes < size; ++bytes) {
    const std::string said = this->write_over(bytes, cut::close, cut_work::copy);
    seen.insert(said);
    EXPECT_EQ(this->stored(), said == "yes" ? "2" : "0") << "after " << bytes << " bytes it said " << said;
  }
  EXPECT_EQ(seen, (std::set<std::string>{"no", "yes"}));
}

}  // namespace
}  // namespace cut_writes_test
