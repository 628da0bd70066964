// Rows into sinks: whole streams into descriptors, std::ostream and Asio sockets, with sinks that are slow or closed.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <csignal>
#include <sluice/stream/document_writer.hpp>
#include <sluice/wire/asio_errors.hpp>
#include <sstream>
#include <string>
#include <thread>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"

namespace writing_test {
namespace {

using namespace sluice::test;
using sluice::document_format;
using sluice::sql;

constexpr std::size_t buffer_bound = (64U << 10U) + 64;  // including the padding for simdjson
const char* const thousands = "select jsonb_build_object('i', i, 'text', repeat('x', 100)) from generate_series(1, ";

sluice::query rows_of(int count) { return sql(thousands + std::to_string(count) + ") as i").as_document(); }

std::string expected(int count) { return psql(thousands + std::to_string(count) + ") as i"); }

TEST(WrittenDocuments, GoToAStandardStream) {
  sluice::client db{dsn()};
  std::ostringstream lines;
  sluice::row_range rows = db.stream(rows_of(2000));
  EXPECT_EQ(sluice::write_documents(rows, lines), 2000U);
  EXPECT_EQ(lines.str(), expected(2000) + "\n");

  std::ostringstream array;
  sluice::row_range again = db.stream(rows_of(2));
  EXPECT_EQ(sluice::write_documents(again, array, document_format::array), 2U);
  EXPECT_EQ(array.str().front(), '[');
  EXPECT_EQ(array.str().substr(array.str().size() - 3), "}]\n");
}

TEST(WrittenDocuments, GoToADescriptorThatIsSlow) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  sluice::client db{dsn()};
  std::string got;
  std::thread reader{[&] {
    std::array<char, 4096> piece{};
    for (ssize_t count = 0; (count = ::read(ends[0], piece.data(), piece.size())) > 0;)
      got.append(piece.data(), static_cast<std::size_t>(count));
  }};
  sluice::row_range rows = db.stream(rows_of(50'000));
  EXPECT_EQ(sluice::write_documents(rows, ends[1]), 50'000U);
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  EXPECT_TRUE(got == expected(50'000) + "\n") << got.size() << " bytes came";
  EXPECT_LE(rows.stats().buffer_peak, buffer_bound);
}

TEST(WrittenDocuments, LeaveTheConnectionUsableWhenNobodyReads) {
  std::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ::close(ends[0]);
  sluice::client db{dsn()};
  {
    sluice::row_range rows = db.stream(rows_of(1'000'000));
    EXPECT_THROW(sluice::write_documents(rows, ends[1]), std::system_error);
  }
  ::close(ends[1]);
  EXPECT_EQ(answer(db, sql("select to_json(1)")), "1");
}

using unix_socket = asio::local::stream_protocol::socket;

asio::awaitable<std::uint64_t> write_to(unix_socket to, int count) {
  sluice::connection db = co_await sluice::connect(dsn());
  const sluice::query what = rows_of(count);
  sluice::row_stream rows = co_await db.stream(what);
  const std::uint64_t written = co_await sluice::write_documents(rows, to);
  EXPECT_LE(rows.stats().buffer_peak, buffer_bound);
  co_return written;
}

TEST(WrittenDocuments, GoToASocketAtItsReadersPace) {
  asio::io_context context{1};
  unix_socket ours{context};
  unix_socket theirs{context};
  asio::local::connect_pair(ours, theirs);
  constexpr int count = 100'000;
  auto written = asio::co_spawn(context, write_to(std::move(ours), count), asio::use_future);

  // Nobody reads the output: rows move until the sockets and the receive buffer are full, then every side waits.
  while (psql("select count(*) from pg_stat_activity where wait_event = 'ClientWrite' and query like '%repeat%'") !=
         "1")
    context.poll();
  EXPECT_NE(written.wait_for(std::chrono::seconds{0}), std::future_status::ready);

  std::string got;
  sluice::wire::asio_code ended;
  asio::async_read(theirs, asio::dynamic_buffer(got), [&](sluice::wire::asio_code why, std::size_t) { ended = why; });
  context.run();
  EXPECT_EQ(ended, asio::error::eof);
  EXPECT_EQ(written.get(), static_cast<std::uint64_t>(count));
  EXPECT_TRUE(got == expected(count) + "\n") << got.size() << " bytes came";
}

}  // namespace
}  // namespace writing_test
