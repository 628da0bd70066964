// Reading a field as a type accepts what the server's own cast accepts, within the grammars of docs/predicates.md. The
// client agrees, and no text makes a query fail. The texts are random sequences of nearly valid pieces.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stream/columns.hpp>
#include <sluice/stream/json_moment.hpp>
#include <sluice/stream/parallel.hpp>

#include "cluster.hpp"
#include "faces.hpp"
#include "query/safe_casts.hpp"

namespace casts_test {
namespace {

using namespace sluice::test;
using sluice::column;
using sluice::field;
using sluice::from;

class texts {
 public:
  std::string one_of(const std::vector<std::string>& pieces) { return pieces[random_() % pieces.size()]; }
  std::string number(int least, int most, int digits) {
    std::string text = std::to_string(least + static_cast<int>(random_() % static_cast<unsigned>(most - least + 1)));
    while (static_cast<int>(text.size()) < digits) text.insert(0, 1, '0');
    return text;
  }
  bool happens(unsigned one_in) { return random_() % one_in == 0; }
  /// Sometimes drops, doubles or replaces a character.
  std::string spoilt(std::string text) {
    if (text.empty() || !happens(4)) return text;
    const std::size_t at = random_() % text.size();
    switch (random_() % 3) {
      case 0: return text.erase(at, 1);
      case 1: return text.insert(at, 1, text[at]);
      default: text[at] = "0123456789-+:. TZaegxB/_{}"[random_() % 26]; return text;
    }
  }

  std::string moment() {
    const std::string dash = happens(6) ? "" : "-";
    const std::string colon = dash.empty() ? "" : ":";
    std::string year =
        one_of({number(1, 9999, 4), number(1990, 2030, 4), number(1900, 2100, 4), number(9999, 20000, 4),
                number(294240, 294280, 6), "0000", "4713", "0001", "0005", "0101", "0401", "2000", "4712"});
    std::string text = year + dash + number(1, happens(9) ? 13 : 12, 2) + dash + number(1, happens(3) ? 32 : 28, 2);
    if (happens(6)) text = year + dash + "02" + dash + "29";
    if (!happens(5)) {
      text += one_of({"T", "T", " ", "t"}) + number(0, happens(5) ? 24 : 23, 2) + colon +
              number(0, happens(9) ? 60 : 59, 2);
      if (!happens(6)) text += colon + number(0, happens(5) ? 60 : 59, 2);
      if (happens(9)) text = text.substr(0, text.size() - 8) + one_of({"24:00:00", "23:59:60"});
      if (happens(2)) text += "." + one_of({"0", "5", "123", "999999", "1234567", "123456789", "999999999", "0000005"});
      if (!happens(4))
        text += one_of({"Z", "Z", "z", "UTC", " UTC", " GMT", "+00", "+01:00", "-05:30", " +0530", "-04:56:02",
                        "+15:59:59", "-16", "+02:60", " CEST", "+5"});
    }
    if (happens(8)) text += one_of({" BC", "BC", " AD"});
    if (happens(20))
      text = one_of({"infinity", "-infinity", "Infinity", "-Infinity", "epoch", "now", "+infinity", "inf"});
    return surrounded(spoilt(text));
  }
  std::string numeric() {
    std::string text = one_of({"", "", "-", "+"}) + one_of({"", "0", number(0, 99999, 0), std::string(200, '7')});
    if (happens(2)) text += "." + one_of({"", "0", number(0, 99999, 0)});
    if (happens(3))
      text += one_of({"e", "E"}) + one_of({"", "-", "+"}) + one_of({"", "1", "12", "999", "0009", "9999"});
    return surrounded(spoilt(text));
  }
  std::string boolean() {
    std::string text = one_of(
        {"true", "false", "yes", "no", "on", "off", "t", "f", "y", "n", "1", "0", "o", "tr", "of", "fals", "ye"});
    for (char& c : text)
      if (happens(3)) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return surrounded(spoilt(text));
  }
  std::string uuid() {
    std::string text = "123e4567-e89B-12d3-A456-426614174000";
    if (happens(2)) std::erase(text, '-');
    if (happens(4)) text.insert(4 * (random_() % 8), 1, '-');
    if (happens(3)) text = '{' + text + '}';
    return spoilt(text);
  }
  std::string inet() {
    std::string text;
    if (happens(2)) {
      const unsigned octets = happens(3) ? 1 + random_() % 4 : 4;
      for (unsigned i = 0; i < octets; ++i) text += (i == 0 ? "" : ".") + number(0, 260, happens(5) ? 3 : 0);
    } else {
      const unsigned groups = 1 + random_() % 8;
      for (unsigned i = 0; i < groups; ++i)
        text += (i == 0 ? "" : ":") + one_of({"0", "1", "ffff", "2001", "DB8", "00a", happens(3) ? "" : "a"});
      if (happens(3)) text += "::" + one_of({"", "1", "1.2.3.4", "1:2"});
      if (happens(5)) text = "::" + text;
    }
    if (happens(2)) text += "/" + number(0, happens(4) ? 130 : 33, happens(6) ? 2 : 0);
    return spoilt(text);
  }
  std::string ltree() {
    std::string text;
    const auto labels = random_() % 5;
    for (std::uint_fast32_t i = 0; i <= labels; ++i)
      text += (i == 0 ? "" : ".") + one_of({"top", "a_1", "_", "0", "", std::string(255, 'l'), std::string(256, 'l')});
    return spoilt(text);
  }

 private:
  std::string surrounded(const std::string& text) {
    if (!happens(6)) return text;
    return one_of({"", " ", "\t", "\n", "\v", "\f", "\xc2\xa0", "\xe2\x80\x83"}) + text +
           one_of({"", " ", "\r\n", "  "});
  }

  std::mt19937 random_{20240229};  // NOLINT(cert-msc51-cpp): the same texts each time
};

struct reading {
  const char* name;
  const char* type;
  std::string (texts::*make)();
  std::string expression;  // over a column t
  const char* left_out;    // a regular expression: what the server accepts and the grammar leaves out
};
std::ostream& operator<<(std::ostream& out, const reading& one) { return out << one.name; }

void make_casts() {
  psql(R"(
    create extension if not exists ltree;
    create or replace function cast_of(t text, type text) returns text language plpgsql as $$
      declare got text;
      begin
        execute format('select %L::%s::text', t, type) into got;
        return got;
      exception when others then return null;
      end $$)");
}

class Casts : public testing::TestWithParam<reading> {
 protected:
  static void SetUpTestSuite() { make_casts(); }
};

TEST_P(Casts, TakeWhatTheServerTakesAndNeverFail) {
  const reading& of = GetParam();
  texts make;
  std::vector<std::string> all;
  for (int i = 0; i < 6000; ++i) all.push_back((make.*of.make)());
  sluice::client db{dsn()};
  const std::string ask =
      "select t, " + of.expression + "::text, cast_of(t, '" + of.type + "') from unnest($1::text[]) t";
  int taken = 0;
  int left = 0;
  for (const sluice::row each : db.stream(sluice::sql(ask, all).as_columns())) {
    const auto [text, ours, theirs] = each.get<std::string, std::optional<std::string>, std::optional<std::string>>();
    if (ours) {
      ++taken;
      EXPECT_EQ(ours, theirs) << text;
    } else if (theirs && !std::regex_search(text, std::regex{of.left_out})) {
      ADD_FAILURE() << "'" << text << "' is " << *theirs;
    } else {
      ++left;
    }
  }
  EXPECT_GT(taken, 500);
  EXPECT_GT(left, 500);
}

const std::string of_t = "t";
INSTANTIATE_TEST_SUITE_P(
    OfAField, Casts,
    testing::Values(reading{"numeric", "numeric", &texts::numeric, sluice::detail::numeric_of(of_t),
                            "[a-dA-Df-zF-Z_]|[eE][-+]?0*[1-9][0-9]{4}"},
                    reading{"boolean", "boolean", &texts::boolean, sluice::detail::boolean_of(of_t), "^$"},
                    reading{"uuid", "uuid", &texts::uuid, sluice::detail::uuid_of(of_t), "^$"},
                    reading{"inet", "inet", &texts::inet, sluice::detail::inet_of(of_t),
                            R"(\./|:/|:.*:\d+(\.\d+){0,2}(/\d+)?$|:\d+\.)"},
                    reading{"ltree", "ltree", &texts::ltree, sluice::detail::ltree_of(of_t, "public"),
                            "^$|-|[^.]{256}"}),
    [](const auto& one) { return std::string{one.param.name}; });

/// Whether the text has one of the shapes of docs/predicates.md; does not check ranges of dates and times.
bool is_documented(const std::string& text) {
  static const std::regex shape{
      R"([ \t\n\v\f\r]*(-?[Ii]nfinity|\d{4,6}-\d\d-\d\d([Tt ](?!24:00:00\.0*[1-9])\d\d:\d\d(:(?!60\.0*[1-9])\d\d(\.\d{1,30})?)?)"
      R"(( ?(Z|z|UTC|GMT|[-+]\d\d(\d\d|:\d\d(:\d\d)?)?))?)?( BC)?|)"
      R"(\d{8}([Tt](?!24)\d\d[0-5]\d([0-5]\d(\.\d{1,30})?)?(Z|z|[-+]\d\d(\d\d)?)?)?)[ \t\n\v\f\r]*)"};
  if (!std::regex_match(text, shape)) return false;
  const std::size_t begin = std::min(text.find_first_of("0123456789"), text.size());
  const std::size_t end = std::min(text.find_first_not_of("0123456789", begin), text.size());
  const int year = end - begin > 6 || end == begin ? 0 : std::stoi(text.substr(begin, end - begin));
  return text.find("BC") == text.npos ? year <= 294246 : year <= 4713 && end - begin == 4;
}

TEST(Moments, AreReadAsTheServerReadsThemHereAndThere) {
  make_casts();
  psql("drop table if exists moments; create table moments (data jsonb)");
  texts make;
  std::vector<std::string> all;
  for (int i = 0; i < 20000; ++i) all.push_back(make.moment());
  sluice::client db{dsn() + " options='-c TimeZone=UTC'"};
  const std::string expression = sluice::detail::timestamptz_of("t");
  const std::string microseconds = "case when isfinite(x) then (extract(epoch from x) * 1000000)::int8 end";
  int taken = 0;
  int left = 0;
  for (const sluice::row each :
       db.stream(sluice::sql("select t, x::text, " + microseconds + ", cast_of(t, 'timestamptz') from (select t, " +
                                 expression + " as x from unnest($1::text[]) t) q",
                             all)
                     .as_columns())) {
    const auto [text, ours, since, theirs] =
        each.get<std::string, std::optional<std::string>, std::optional<std::int64_t>, std::optional<std::string>>();
    const auto here = sluice::parse_moment(text);
    EXPECT_EQ(here.has_value(), ours.has_value()) << '\'' << text << '\'';
    if (ours) {
      ++taken;
      EXPECT_EQ(ours, theirs) << text;
      if (since && here) {
        EXPECT_EQ(here->time_since_epoch().count(), *since) << text;
      }
    } else if (theirs) {
      ++left;
      EXPECT_FALSE(is_documented(text)) << '\'' << text << "' is " << *theirs;
    }
  }
  EXPECT_GT(taken, 5000);
  EXPECT_GT(left, 100);
}

TEST(Moments, OfEveryWriterMatch) {
  psql("drop table if exists moments; create table moments (data jsonb)");
  const std::vector<std::string> written{
      "2024-02-29T10:11:12.123Z",           // JavaScript
      "2024-02-29T10:11:12.123456+00:00",   // Python, Postgres
      "2024-02-29 10:11:12.123456+00:00",   // Python's str
      "2024-02-29T10:11:12.123456789Z",     // Go, Java, Rust
      "2024-02-29T10:11:12.1234567+02:00",  // .NET
      "2024-02-29T10:11:12Z",               //
      "2024-02-29T10:11Z",                  // Java without seconds
      "2024-02-29 10:11:12 UTC",            // Ruby, Rust
      "2024-02-29 10:11:12 +0000",          // Ruby
      "2024-02-29 10:11:12+00",             // Postgres
      "2024-02-28T05:15:10-04:56:02",       // Postgres, of old
      "2024-02-29t10:11:12z",               // RFC 3339
      "20240229T101112Z",                   // ISO 8601, basic
      "20240229T101112.5+0100",             //
      "2024-02-29",                         //
      "infinity",                           // Postgres
      "12024-02-29T10:11:12+00:00",         // Postgres
      "2024-02-29T24:00:00Z",               //
      "2024-02-29T23:59:60Z",               //
      " 2024-02-29T10:11:12Z\n",            //
  };
  sluice::client db{dsn()};
  for (const char* zone : {"UTC", "America/New_York"}) {
    db.execute(std::string{"set timezone = '"} + zone + "'");
    for (const std::string& each : written) {
      db.execute("truncate moments");
      (void)db
          .stream(sluice::sql("insert into moments values (jsonb_build_object('at', $1::text)) returning data", each))
          .next();
      int rows = 0;
      for (const sluice::row one :
           db.stream(from("moments").where(field("at").as_timestamptz() >= "2024-02-28 00:00+00" &&
                                           field("at") >= std::chrono::sys_days{std::chrono::year{2024} / 2 / 28})))
        rows += one.is_null() ? 0 : 1;
      EXPECT_EQ(rows, 1) << each << " in " << zone;
    }
  }
}

TEST(KeyRanges, TakeNumbersBeyondBigint) {
  psql(R"(drop table if exists far; create table far (data jsonb);
          insert into far select jsonb_build_object('k', n) from generate_series(1, 500) n;
          insert into far values ('{"k": 99999999999999999999}'), ('{"k": -1e30}'), ('{"k": 9223372036854775807.9}'),
            ('{"k": 1.5}'), ('{"k": "NaN"}'), ('{"k": null}'), ('{}'), ('{"k": "1e9999"}'), (null))");
  sluice::parallel_options how;
  how.connections = 3;
  how.split = sluice::split_by::key("k");
  std::size_t rows = 0;
  for (const sluice::row each : sluice::parallel_range{dsn(), from("far"), how}) {
    (void)each;
    ++rows;
  }
  EXPECT_EQ(rows, 509U);
  psql("delete from far where data->>'k' <> '99999999999999999999'");
  rows = 0;
  for (const sluice::row each : sluice::parallel_range{dsn(), from("far"), how}) rows += each.text().empty() ? 0U : 1U;
  EXPECT_EQ(rows, 3U);
}

/// The documents that match, concatenated.
std::string found(const sluice::relation& what) {
  std::string text;
  sluice::client db{dsn()};
  for (const sluice::row each : db.stream(what)) text += each.text();
  return text;
}

TEST(EmptyKeys, AreKeysLikeOthers) {
  psql(R"(drop table if exists strange_keys; create table strange_keys (data jsonb);
          insert into strange_keys values ('{"": {"": 1, "a": [{"": 2}]}, "x": 0}'), ('{"x": 3}'), ('{"\u0061": {"": 4}}'))");
  const std::string first = R"({"": {"": 1, "a": [{"": 2}]}, "x": 0})";
  for (const sluice::predicate& each :
       {field(R"(""."")").is_not_null(), field({"", ""}) == 1, field(R"("".a.0."")") == 2, field({""}).has_key("")}) {
    EXPECT_EQ(found(from("strange_keys").where(each)), first);
    EXPECT_EQ(found(from("strange_keys").where(each.on_client())), first);
  }
  EXPECT_EQ(found(from("strange_keys").where(field("x") == 0).select(R"("".a)")), R"({"":{"a":[{"": 2}]}})");
  EXPECT_EQ(found(from("strange_keys").where(field(R"("")").exists()).select(sluice::projection{"x"}.as(R"("")"))),
            R"({"":0})");
  EXPECT_EQ(found(from("strange_keys").order_by(sluice::desc(field(R"(a."")").as_numeric()).nulls_last()).limit(1)),
            R"({"a": {"": 4}})");
}

TEST(JsonColumns, TakeTheOperatorsOfJsonb) {
  psql(R"(drop table if exists plain_json; create table plain_json (j json, data jsonb);
          insert into plain_json values ('{"a": [1, 2]}', '{"id": 1}'), ('[]', '{"id": 2}'), (null, '{"id": 3}'))");
  const auto j = column("j");
  for (const sluice::predicate& each :
       {j.contains_json(R"({"a": [2]})"), j.contained_in_json(R"({"a": [1, 2], "b": 0})") && j.has_key("a"),
        j == sluice::bind_value::json(R"({"a": [1, 2]})"), j.in({sluice::bind_value::json(R"({"a": [1, 2]})")}),
        j.has_any_key({"a", "b"}), j.has_all_keys({"a"}), j.jsonpath_exists("$.a"), j.jsonpath_matches("$.a[0] == 1")})
    EXPECT_EQ(found(from("plain_json").where(each)), R"({"id": 1})");
}

TEST(ExtensionTypes, AreComparedByTheirOwnOperatorsWhenTheyAreStated) {
  psql(R"(create extension if not exists citext; create schema if not exists elsewhere;
          drop table if exists mails;
          create table mails (mail citext, data jsonb);
          insert into mails values ('Ada@example.com', '{"id": 1}'), ('bob@example.com', '{"id": 2}'))");
  const auto mail = column("mail").as_type("public.citext");
  EXPECT_EQ(found(from("mails").where(mail == "ADA@example.com")), R"({"id": 1})");
  EXPECT_EQ(found(from("mails").where(mail.in({"ADA@EXAMPLE.COM", "x"}))), R"({"id": 1})");
  EXPECT_EQ(found(from("mails").where(mail.like("ada%"))), R"({"id": 1})");
  EXPECT_EQ(found(from("mails").order_by(mail).after({"ADA@example.com"})), R"({"id": 2})");
  EXPECT_EQ(found(from("mails").where(column("mail") == "ADA@example.com")), "") << "as text is";
  EXPECT_THROW((void)column("mail").as_type("citext"), sluice::error);
  EXPECT_THROW((void)(field("mail").as_type("public.citext") == "a"), sluice::error);
}

}  // namespace
}  // namespace casts_test
