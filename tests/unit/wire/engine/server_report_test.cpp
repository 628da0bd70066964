// An error or a notice of the server's, with every field that it sent.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "bytes.hpp"
#include "engine/server_report.hpp"

namespace server_report_test {
namespace {

using sluice::server_message;
using sluice::test::as_bytes;
using sluice::test::raw;
using sluice::wire::ends_the_session;
using sluice::wire::read_report;

std::optional<server_message> report(const std::string& body) {
  return read_report({.type = 'E', .body = as_bytes(body)});
}

TEST(ServerReport, HasEveryField) {
  const auto said =
      report(raw("SFEHLER\0VERROR\0C42P01\0Mno\0Ddetail\0Hhint\0P7\0p8\0qselect\0Wwhere\0sapp\0tt\0cc\0dd\0nn\0Ff."
                 "c\0L12\0Rr\0\0"));
  ASSERT_TRUE(said);
  EXPECT_EQ(said->severity, "ERROR") << "not the translated one";
  EXPECT_EQ(said->sqlstate, "42P01");
  EXPECT_EQ(said->message, "no");
  EXPECT_EQ(said->detail, "detail");
  EXPECT_EQ(said->hint, "hint");
  EXPECT_EQ(said->position, 7U);
  EXPECT_EQ(said->internal_position, 8U);
  EXPECT_EQ(said->internal_query, "select");
  EXPECT_EQ(said->where, "where");
  EXPECT_EQ(said->schema + '.' + said->table + '.' + said->column, "app.t.c");
  EXPECT_EQ(said->data_type, "d");
  EXPECT_EQ(said->constraint, "n");
  EXPECT_EQ(said->file + ':' + said->line + ' ' + said->routine, "f.c:12 r");
}

TEST(ServerReport, OwnsItsTexts) {
  std::string body = raw("VERROR\0Mno such table\0\0");
  const auto said = report(body);
  body.assign(body.size(), 'x');
  ASSERT_TRUE(said);
  EXPECT_EQ(said->message, "no such table");
}

TEST(ServerReport, TakesTheTranslatedSeverityWhereThereIsNoOther) {
  EXPECT_EQ(report(raw("SFATAL\0Mno\0\0"))->severity, "FATAL");
  EXPECT_EQ(report(raw("Mno\0\0"))->severity, "");
}

TEST(ServerReport, LeavesAPositionOutThatIsNoNumber) {
  EXPECT_EQ(report(raw("Mno\0\0"))->position, std::nullopt);
  EXPECT_EQ(report(raw("P-1\0\0"))->position, std::nullopt);
}

TEST(ServerReport, IsNothingOfABodyThatIsMalformed) {
  for (const std::string& bad : {raw(""), raw("Mno"), raw("Mno\0"), raw("Mno\0\0x")}) EXPECT_FALSE(report(bad)) << bad;
}

TEST(ServerReport, TellsWhetherTheSessionEnds) {
  const auto ends = [](const char* severity) {
    server_message said;
    said.severity = severity;
    return ends_the_session(said);
  };
  for (const char* const severity : {"FATAL", "PANIC"}) EXPECT_TRUE(ends(severity)) << severity;
  for (const char* const severity : {"ERROR", "WARNING", "NOTICE", "", "fatal", "FATAL "})
    EXPECT_FALSE(ends(severity)) << severity;
}

}  // namespace
}  // namespace server_report_test
