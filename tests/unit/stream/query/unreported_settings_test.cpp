// Settings that the server does not report: which texts may change them, and what is believed about them.
#include <gtest/gtest.h>

#include "query/unreported_settings.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/proto/frame.hpp>

#include "backend.hpp"
#include "bytes.hpp"

namespace unreported_settings_test {
namespace {

using sluice::detail::may_change_unreported_settings;
using sluice::detail::session_settings;
using sluice::detail::unreported_settings;

TEST(UnreportedSettings, MayBeChangedByWhatNamesThem) {
  for (const char* sql : {"set bytea_output = escape", "SET LOCAL Extra_Float_Digits TO 0", "reset bytea_output",
                          "select set_config('bytea_output', $1, false)", "select set_config($1, $2, false)",
                          "select SET_CONFIG ( $1, 'escape', true)", "select pg_catalog.set_config(name, '0', true)",
                          "select set_config(E'bytea\\x5foutput', 'escape', true)", "select set_config",
                          "select set_config('extra_' || 'float_digits', '0', false)",
                          "select set_config('it''s', '0', false)", "select set_config('bytea", "select set_config(",
                          "update pg_settings set setting = 0 where name = 'extra_float_digits'",
                          "update pg_catalog.pg_settings set setting = $1 where name = $2"})
    EXPECT_TRUE(may_change_unreported_settings(sql)) << sql;
}

TEST(UnreportedSettings, AreNotChangedByOtherTexts) {
  for (const char* sql : {"", "_", "select 1", "select bytea_outpu", "ytea_output", "set time zone 'UTC'",
                          "select set_config('app.user_id', $1, true)", "select pg_catalog.set_config (\n'app.a', $1)",
                          "select a_b, c__d from e_"})
    EXPECT_FALSE(may_change_unreported_settings(sql)) << sql;
}

std::string believed(const unreported_settings& about) {
  session_settings all;
  about.put_into(all);
  return std::string{all.has_hex_bytea ? "hex" : "-"} + (all.has_all_digits ? " digits" : " -");
}

void tell(unreported_settings& about, std::initializer_list<std::optional<std::string_view>> fields) {
  const std::string message = sluice::test::backend{}.data_row(fields).bytes;
  about.told(
      sluice::proto::decode_data_row(sluice::test::as_bytes(message).subspan(sluice::proto::header_size)).value());
}

/// What is believed after one row.
std::string after(std::initializer_list<std::optional<std::string_view>> fields) {
  unreported_settings about;
  tell(about, fields);
  return believed(about);
}

TEST(UnreportedSettings, AreBelievedAsTheServerSaysThem) {
  EXPECT_EQ(after({"hex", "1"}), "hex digits");
  EXPECT_EQ(after({"hex", "3"}), "hex digits");
  EXPECT_EQ(after({"hex", "0"}), "hex -");
  EXPECT_EQ(after({"hex", "-15"}), "hex -");
  EXPECT_EQ(after({"escape", "1"}), "- digits");
}

TEST(UnreportedSettings, AreNotTakenFromRowsOfOtherStatements) {
  EXPECT_EQ(after({}), "- -");
  EXPECT_EQ(after({"hex"}), "- -");
  EXPECT_EQ(after({"hex", "1", "x"}), "- -");
  EXPECT_EQ(after({"0", "5000ms"}), "- -");
  EXPECT_EQ(after({"hex", "1s"}), "- -");
  EXPECT_EQ(after({"hex", ""}), "- -");
  EXPECT_EQ(after({"hex", std::nullopt}), "- -");
  EXPECT_EQ(after({std::nullopt, "1"}), "- -");
}

TEST(UnreportedSettings, AreAskedForOnceAndNeverBelievedAgainWhenChanged) {
  unreported_settings about;
  EXPECT_TRUE(about.are_to_be_asked());
  EXPECT_EQ(believed(about), "- -");
  tell(about, {"hex", "1"});
  EXPECT_FALSE(about.are_to_be_asked());
  about.changed();
  EXPECT_FALSE(about.are_to_be_asked());
  EXPECT_EQ(believed(about), "- -");
  tell(about, {"hex", "1"});
  EXPECT_EQ(believed(about), "- -");
}

}  // namespace
}  // namespace unreported_settings_test
