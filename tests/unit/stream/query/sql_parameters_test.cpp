// Where SQL contains parameters, by the rules of the server's lexer. sql_scanner_test.cpp compares it with a real
// server.
#include <gtest/gtest.h>

#include <sluice/wire/error.hpp>
#include <string>
#include <utility>
#include "query/sql_parameters.hpp"

namespace sql_parameters_test {
namespace {

using sluice::detail::backslashes;

std::string marked(std::string_view sql, backslashes plain = backslashes::ordinary) {
  return sluice::detail::with_parameters(sql, 9, plain,
                                         [](std::size_t number) { return '<' + std::to_string(number) + '>'; });
}
std::string refusal(std::string_view sql, backslashes plain = backslashes::ordinary) {
  try {
    return "accepted: " + marked(sql, plain);
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), sluice::errc::bad_query);
    return e.what();
  }
}

TEST(SqlParameters, AreFoundWhereTheLexerFindsThem) {
  for (const auto& [sql, found] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"$1+$2,$3", "<1>+<2>,<3>"},
           {"$01", "<1>"},
           {"$1$2", "<1><2>"},
           {"a$1 _$1 \xc3\xa9$1", "a$1 _$1 \xc3\xa9$1"},
           {"'$1' $1", "'$1' <1>"},
           {"'a''$1' $1", "'a''$1' <1>"},
           {"'\\' $1", "'\\' <1>"},
           {"e'\\' $1' $1", "e'\\' $1' <1>"},
           {"E'a''\\' $1' $1", "E'a''\\' $1' <1>"},
           {"E'a'\n'\\' $1' $1", "E'a'\n'\\' $1' <1>"},
           {"E'a'\r'\\' $1' $1", "E'a'\r'\\' $1' <1>"},
           {"E'a' -- it's\n\t-- '\n'\\' $1' $1", "E'a' -- it's\n\t-- '\n'\\' $1' <1>"},
           {"E'a' '\\' $1", "E'a' '\\' <1>"},
           {"E'a' /*\n*/ '\\' $1", "E'a' /*\n*/ '\\' <1>"},
           {"ee'\\' $1", "ee'\\' <1>"},
           {"e '\\' $1", "e '\\' <1>"},
           {"n'\\' $1 b'1' $2", "n'\\' <1> b'1' <2>"},
           {"x'ff' $1 U&'\\' $2 u&\"$1\"\"$2\" $3", "x'ff' <1> U&'\\' <2> u&\"$1\"\"$2\" <3>"},
           {"-- $1\r$2", "-- $1\r<2>"},
           {"-- $1\n$2", "-- $1\n<2>"},
           {"1--$1\n+$2", "1--$1\n+<2>"},
           {"@--$1\n$2", "@--$1\n<2>"},
           {"*/* $1 /* $1 */ $1 */ $2", "*/* $1 /* $1 */ $1 */ <2>"},
           {"/*/ $1 */ $2", "/*/ $1 */ <2>"},
           {"$$ $1 $a$ $1 $$ $1", "$$ $1 $a$ $1 $$ <1>"},
           {"$a$ $$ $1 $A$ $1 $a$ $1", "$a$ $$ $1 $A$ $1 $a$ <1>"},
           {"$a $1", "$a <1>"},
           {"$\xc3\xa9$ $1 $\xc3\xa9$ $1", "$\xc3\xa9$ $1 $\xc3\xa9$ <1>"},
           {"a$$ $1", "a$$ <1>"},
           {"$1$$ $1 $$", "<1>$$ $1 $$"},
           {"1e5 + $1", "1e5 + <1>"},
           {"\"a\"\"$1\" $1", "\"a\"\"$1\" <1>"},
       }) {
    EXPECT_EQ(marked(sql), found) << sql;
  }
}

TEST(SqlParameters, AreRefusedWhereNothingIsCertain) {
  EXPECT_EQ(refusal("$0"), "SQL with $0, which has no value");
  EXPECT_EQ(refusal("$10"), "SQL with $10, which has no value");
  EXPECT_EQ(refusal("$99999999999999999999"), "SQL with $99999999999999999999, which has no value");
  for (const char* sql : {"1$1", "1e5$1", "1a$1", "1e'\\' $1'", "1'x'", "1$$x$$", "1u&'x'"})
    EXPECT_NE(refusal(sql).find("put a blank between them"), std::string::npos) << sql;
  for (const char* sql : {"'", "E'\\'", "E'a'\n'", "\"", "/* /* */", "$$ $a$", "$a$ $$"})
    EXPECT_NE(refusal(sql).find("never closed"), std::string::npos) << sql;
  for (const char* sql : {"'\\' $1'", "'a\\''", "'\\\\\\'", "'a'\n'\\'"})
    EXPECT_NE(refusal(sql, backslashes::unknown).find("standard_conforming_strings"), std::string::npos) << sql;
  for (const char* sql : {"'\\\\' ", "'\\a'", "E'\\''", "U&'\\'"}) EXPECT_EQ(marked(sql, backslashes::unknown), sql);
}

TEST(SqlWithoutItsEnd, HasNoSemicolonsNorWhatComesBehind) {
  for (const auto& [sql, kept] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"select 1", "select 1"},
           {"select 1;", "select 1"},
           {"select 1 ; ;\n", "select 1"},
           {"select 1; -- done", "select 1"},
           {"select 1; -- done; really\n", "select 1"},
           {"select 1 /* a */; /* b; /* c */ */ ;", "select 1"},
           {"-- a; b\nselect 1;\n-- c", "-- a; b\nselect 1"},
           {"select ';' -- done", "select ';'"},
           {"select '; -- ' ; -- done", "select '; -- '"},
           {"select $$; -- $$; -- done", "select $$; -- $$"},
           {"select \"a;--b\"; --", "select \"a;--b\""},
           {"select 1; select 2; -- done", "select 1; select 2"},
           {"; -- nothing", ""},
           // Where a quote may or may not end a literal, only what is certainly at the end is left out.
           {"select '\\'; -- done;", "select '\\'; -- done"},
           {"select 1; /* never closed", "select 1; /* never closed"},
       })
    EXPECT_EQ(sluice::detail::without_end(sql), kept) << sql;
}

}  // namespace
}  // namespace sql_parameters_test
