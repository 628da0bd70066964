#include <gtest/gtest.h>

#include <string>
#include <utility>
#include "tables/sqlstate.hpp"

#include "bytes.hpp"

namespace sqlstate_test {
namespace {

using sluice::proto::sqlstate;

template <class State>
concept gives_views = requires(State&& state) { std::forward<State>(state).code(); } ||
                      requires(State&& state) { std::forward<State>(state).class_code(); };
static_assert(gives_views<const sqlstate&>);
static_assert(!gives_views<sqlstate>, "the characters of a temporary would dangle");
static_assert(sqlstate{"57014"} == sqlstate::query_canceled);

TEST(Sqlstate, GivesItsCodeAndClass) {
  const sqlstate state{"57P01"};
  EXPECT_EQ(state.code(), "57P01");
  EXPECT_EQ(state.class_code(), "57");
  EXPECT_TRUE(state.is_class("57"));
  EXPECT_FALSE(state.is_class("5"));
  EXPECT_FALSE(state.is_class("28"));
  EXPECT_EQ(state, sqlstate::admin_shutdown);
  EXPECT_NE(state, sqlstate::crash_shutdown);
}

TEST(Sqlstate, OutlivesTheTextThatItWasReadFrom) {
  std::string text = "40001";
  const sqlstate state{text};
  text.assign("XXXXX");
  EXPECT_EQ(state.code(), "40001");
}

TEST(Sqlstate, IsEmptyWhenTheTextIsNoCode) {
  for (const std::string& text :
       {std::string{}, std::string{"5701"}, std::string{"570140"}, std::string{"57p01"}, std::string{"57 14"},
        std::string{"5701\x7f"}, std::string(5, '\0'), sluice::test::raw("5701\0"), std::string{"5701\xc4"}}) {
    const sqlstate state{text};
    EXPECT_TRUE(state.empty()) << text;
    EXPECT_EQ(state.code(), "") << text;
    EXPECT_EQ(state.name(), "") << text;
    EXPECT_EQ(state.class_name(), "") << text;
    EXPECT_FALSE(state.is_class("")) << text;
    EXPECT_EQ(state, sqlstate{}) << text;
  }
}

TEST(Sqlstate, HasTheNameOfEachConstant) {
  const std::pair<sqlstate, const char*> named[] = {
      {sqlstate::feature_not_supported, "feature_not_supported"},
      {sqlstate::in_failed_sql_transaction, "in_failed_sql_transaction"},
      {sqlstate::idle_in_transaction_session_timeout, "idle_in_transaction_session_timeout"},
      {sqlstate::invalid_sql_statement_name, "invalid_sql_statement_name"},
      {sqlstate::invalid_authorization_specification, "invalid_authorization_specification"},
      {sqlstate::invalid_password, "invalid_password"},
      {sqlstate::serialization_failure, "serialization_failure"},
      {sqlstate::deadlock_detected, "deadlock_detected"},
      {sqlstate::too_many_connections, "too_many_connections"},
      {sqlstate::query_canceled, "query_canceled"},
      {sqlstate::admin_shutdown, "admin_shutdown"},
      {sqlstate::crash_shutdown, "crash_shutdown"},
      {sqlstate::cannot_connect_now, "cannot_connect_now"},
      {sqlstate::database_dropped, "database_dropped"},
      {sqlstate::idle_session_timeout, "idle_session_timeout"},
  };
  for (const auto& [state, name] : named) EXPECT_EQ(state.name(), name) << state.code();
}

TEST(Sqlstate, FindsTheFirstAndTheLastOfItsTables) {
  EXPECT_EQ(sqlstate{"00000"}.name(), "successful_completion");
  EXPECT_EQ(sqlstate{"00000"}.class_name(), "Successful Completion");
  EXPECT_EQ(sqlstate{"XX002"}.name(), "index_corrupted");
  EXPECT_EQ(sqlstate{"XX002"}.class_name(), "Internal Error");
}

TEST(Sqlstate, HasNoNameForACodeOfSomebodyElse) {
  const sqlstate raised{"57ABC"};
  EXPECT_EQ(raised.name(), "");
  EXPECT_EQ(raised.class_name(), "Operator Intervention");
  for (const char* outside : {"ZZZZZ", "00001", "12345"}) EXPECT_EQ(sqlstate{outside}.name(), "") << outside;
  EXPECT_EQ(sqlstate{"ZZZZZ"}.class_name(), "");
}

}  // namespace
}  // namespace sqlstate_test
