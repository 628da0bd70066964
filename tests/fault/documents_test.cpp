// Invalid documents, and documents that would break a careless parser: the error says what is wrong, and the connection
// stays usable. Unusual but valid JSON is accepted.
#include <gtest/gtest.h>

#include <ostream>
#include <sluice/sluice.hpp>
#include <sluice/stream/json.hpp>
#include <string>

#include "bytes.hpp"
#include "script.hpp"
#include "shell.hpp"

namespace sluice::test {

namespace {

struct oddity {
  const char* name;
  std::string document;
  bool is_json;

  friend std::ostream& operator<<(std::ostream& out, const oddity& each) { return out << each.name; }
};

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::vector<oddity> oddities() {
  return {
      {"Nothing", "", false},
      {"OnlySpaces", "   ", false},
      {"AZeroByte", raw("{\"a\": \"\0\"}"), false},
      {"AControlByte", "{\"a\": \"\x01\"}", false},
      {"InvalidUtf8", "{\"a\": \"\xc3\x28\"}", false},
      {"Utf8ThatIsCut", "{\"a\": \"\xe2\x82", false},
      {"ASurrogate", R"({"a": "\ud800"})", false},
      {"NoEnd", R"({"a": [1, 2)", false},
      {"TwoValues", "1 2", false},
      {"AByteTooMany", "{}x", false},
      {"NotANumber", "NaN", false},
      {"ALeadingZero", "01", false},
      {"DepthWithoutEnd", std::string(100'000, '['), false},
      {"MoreDepthThanAllowed", nested(1'025), false},
      {"DepthWithoutEndBehindALargeNumber", "[123456789012345678901234567890," + nested(100'000) + "]", false},
      {"DepthBehindALargeNumber", "[123456789012345678901234567890," + nested(1'000) + "]", true},
      {"AsMuchDepthAsAllowed", nested(1'000), true},
      {"TheSameKeyTwice", R"({"a": 1, "a": 2})", true},
      {"ANumberBeyondADouble", "123456789012345678901234567890", true},
      {"AnEscapedZero", R"("\u0000")", true},
      {"AKeyOf64KiB", "{\"" + std::string(65'536, 'k') + "\": 1}", true},
  };
}

class Oddity : public testing::TestWithParam<oddity> {
 protected:
  listener server_{{script{}
                        .lets_in()
                        .hears()
                        .says(rows(1).data_row(GetParam().document).command_complete("SELECT 2").ready_for_query())
                        .hears()
                        .says(backend{}.command_complete("SELECT 1").ready_for_query())
                        .falls_silent()
                        .play()}};
};

TEST_P(Oddity, IsTakenForWhatItIs) {
  client db{server_.dsn()};
  bool was_refused = false;
  {
    json_validator validator;
    for (const row each : db.stream(from("t"))) {
      try {
        validator.check(each);
      } catch (const error& e) {
        EXPECT_EQ(e.code(), errc::bad_json) << e.what();
        was_refused = true;
      }
    }
  }
  EXPECT_EQ(was_refused, !GetParam().is_json);
  EXPECT_EQ(db.execute("select 1").tag, "SELECT 1") << "the connection goes on";
}

#ifdef SLUICE_COMMAND

TEST_P(Oddity, IsToldByTheCommandWithItsRow) {
  const finished end = shell(SLUICE_COMMAND " t --validate --format raw -d '" + server_.dsn() + "'");
  EXPECT_EQ(end.status, GetParam().is_json ? 0 : 8) << end.err;
  EXPECT_EQ(end.out.substr(0, 3), "{}\n") << "the row before stays whole";
  EXPECT_EQ(end.err.find("row 2") != std::string::npos, !GetParam().is_json) << end.err;
}

#endif

INSTANTIATE_TEST_SUITE_P(Documents, Oddity, testing::ValuesIn(oddities()),
                         [](const auto& of) { return std::string{of.param.name}; });

}  // namespace

}  // namespace sluice::test
