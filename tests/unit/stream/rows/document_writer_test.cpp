// Writing rows: the three formats, what is copied and what is not, and sinks that are slow or closed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <memory>
#include <optional>
#include <sluice/stream/document_writer.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "backend.hpp"

namespace document_writer_test {
namespace {

using sluice::document_format;
using sluice::document_writer;

/// Rows as they are in a receive buffer; nullopt: NULL.
class sent_rows {
 public:
  explicit sent_rows(const std::vector<std::optional<std::string>>& documents) {
    sluice::test::backend sent;
    for (const auto& each : documents) sent.data_row({each});
    size_ = sent.bytes.size();
    bytes_ = std::make_unique<std::byte[]>(size_ + 64);
    std::memcpy(bytes_.get(), sent.bytes.data(), size_);
  }
  [[nodiscard]] sluice::chunk chunk() const {
    return sluice::chunk{{.begin = bytes_.get(), .end = bytes_.get() + size_, .shape = {}, .walked = nullptr}};
  }
  [[nodiscard]] bool holds(const void* at) const { return at >= bytes_.get() && at < bytes_.get() + size_; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_{};
};

std::string joined(std::span<const asio::const_buffer> text) {
  std::string whole;
  for (const asio::const_buffer& each : text) whole.append(static_cast<const char*>(each.data()), each.size());
  return whole;
}

std::string written(document_format format, const std::vector<std::optional<std::string>>& documents) {
  const sent_rows rows{documents};
  document_writer writer{format};
  writer.add(rows.chunk());
  std::string whole = joined(writer.text());
  writer.finish();
  return whole + joined(writer.text());
}

TEST(DocumentWriter, WritesALinePerRow) {
  EXPECT_EQ(written(document_format::ndjson, {"{}", std::nullopt, "[1]"}), "{}\nnull\n[1]\n");
  EXPECT_EQ(written(document_format::ndjson, {"{\"a\":\n 1}", "\"\\n\""}), "{\"a\":1}\n\"\\n\"\n");
  EXPECT_EQ(written(document_format::ndjson, {}), "");
}

TEST(DocumentWriter, TakesAnyLineBreakOutOfALine) {
  EXPECT_EQ(written(document_format::ndjson, {"{\"a\":\r1}", "[1,\r\n2]\r", "\"\\r\""}), "{\"a\":1}\n[1,2]\n\"\\r\"\n");
  EXPECT_EQ(written(document_format::ndjson, {"\"\xe2\x80\xa8\xc2\x85\""}), "\"\xe2\x80\xa8\xc2\x85\"\n")
      << "a line of NDJSON ends with a line feed and nothing else";
  for (const char* broken : {"\"a\nb\"", "\"a\rb\"", "\"a\n"})
    EXPECT_THROW((void)written(document_format::ndjson, {broken}), sluice::error) << broken;
  EXPECT_EQ(written(document_format::raw, {"\"a\rb\""}), "\"a\rb\"\n");
}

TEST(DocumentWriter, WritesOneArray) {
  EXPECT_EQ(written(document_format::array, {"{}", std::nullopt, "[\n1]"}), "[{},\nnull,\n[\n1]]\n");
  EXPECT_EQ(written(document_format::array, {}), "[]\n");
}

TEST(DocumentWriter, WritesTheBytesAsSent) {
  EXPECT_EQ(written(document_format::raw, {"{ }", std::nullopt, "[\n1]"}), "{ }\n\n[\n1]\n");
}

TEST(DocumentWriter, LeavesLargeDocumentsWhereTheyLie) {
  const std::string large = '"' + std::string(100'000, 'x') + '"';
  const sent_rows rows{{"1", large, "2", "3", large}};
  document_writer writer;
  writer.add(rows.chunk());
  const auto text = writer.text();
  ASSERT_EQ(text.size(), 5U);  // "1\n", the document, "\n2\n3\n", the document, "\n"
  EXPECT_TRUE(rows.holds(text[1].data()));
  EXPECT_TRUE(rows.holds(text[3].data()));
  EXPECT_FALSE(rows.holds(text[2].data()));
  EXPECT_EQ(joined(text), "1\n" + large + "\n2\n3\n" + large + "\n");
}

TEST(DocumentWriter, GivesEachTextOnce) {
  const sent_rows rows{{"1", "2"}};
  document_writer writer;
  EXPECT_EQ(joined(writer.text()), "");
  writer.add(rows.chunk());
  EXPECT_EQ(joined(writer.text()), "1\n2\n");
  EXPECT_EQ(joined(writer.text()), "");
  writer.add(rows.chunk());
  writer.add(rows.chunk());
  EXPECT_EQ(joined(writer.text()), "1\n2\n1\n2\n");
  EXPECT_EQ(writer.rows(), 6U);
}

TEST(DocumentWriter, KeepsTheRowsBeforeABadOne) {
  const sent_rows rows{{"1", "{\n\"open"}};
  document_writer writer;
  try {
    writer.add(rows.chunk());
    FAIL() << "accepted";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), sluice::errc::bad_json);
    EXPECT_NE(std::string{e.what()}.find("row 2"), std::string::npos) << e.what();
  }
  EXPECT_EQ(joined(writer.text()), "1\n");
}

/// Both ends of a pipe.
struct pipe_ends {
  std::array<int, 2> ends{-1, -1};
  pipe_ends() {
    if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
  }
  ~pipe_ends() {
    close(0);
    close(1);
  }
  void close(std::size_t which) {
    if (ends[which] >= 0) ::close(ends[which]);
    ends[which] = -1;
  }
  [[nodiscard]] std::string read_all() const {
    std::string text;
    std::array<char, 1000> piece{};  // less than a page, for many small reads
    while (true) {
      const ssize_t got = ::read(ends[0], piece.data(), piece.size());
      if (got <= 0) return text;
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
  }
};

class Descriptor : public testing::TestWithParam<bool> {};

TEST_P(Descriptor, TakesMoreThanItHoldsAndMorePiecesThanOneCallDoes) {
  const bool blocking = GetParam();
  std::vector<std::optional<std::string>> documents;
  std::string expected;
  for (int i = 0; i < 3000; ++i) {
    documents.emplace_back('"' + std::string(i % 3 == 0 ? 5000 : 3, static_cast<char>('a' + i % 26)) + '"');
    expected += *documents.back() + '\n';
  }
  const sent_rows rows{documents};
  document_writer writer;
  writer.add(rows.chunk());
  pipe_ends pipe;
  ASSERT_EQ(::fcntl(pipe.ends[1], F_SETFL, blocking ? 0 : O_NONBLOCK), 0);
  std::string got;
  std::thread reader{[&] { got = pipe.read_all(); }};
  sluice::write_all(pipe.ends[1], writer.text());
  pipe.close(1);
  reader.join();
  EXPECT_TRUE(got == expected) << got.size() << " of " << expected.size() << " bytes";
}
INSTANTIATE_TEST_SUITE_P(Modes, Descriptor, testing::Bool(),
                         [](const auto& test) { return std::string{test.param ? "Blocking" : "NonBlocking"}; });

TEST(DocumentSinks, SayWhenNobodyReads) {
  std::signal(SIGPIPE, SIG_IGN);
  const sent_rows rows{{"1"}};
  document_writer writer;
  writer.add(rows.chunk());
  pipe_ends pipe;
  pipe.close(0);
  try {
    sluice::write_all(pipe.ends[1], writer.text());
    FAIL() << "written";
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::broken_pipe);
  }
  std::ostringstream closed;
  closed.setstate(std::ios::badbit);
  writer.add(rows.chunk());
  EXPECT_THROW(sluice::write_all(closed, writer.text()), std::system_error);
  std::ostringstream open;
  writer.add(rows.chunk());
  sluice::write_all(open, writer.text());
  EXPECT_EQ(open.str(), "1\n");
}

}  // namespace
}  // namespace document_writer_test
