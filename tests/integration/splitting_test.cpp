// The rows are the same whichever part of a condition the server evaluates and the client evaluates the rest.
#include <gtest/gtest.h>

#include <random>
#include <sluice/stream/json.hpp>
#include <string>
#include <vector>

#include "asking.hpp"
#include "cluster.hpp"
#include "faces.hpp"
#include "readable_sql.hpp"

namespace splitting_test {
namespace {

using namespace sluice::test;
using sluice::bind_value;
using sluice::column;
using sluice::field;
using sluice::from;
using sluice::local;
using sluice::predicate;
using sluice::sql;

/// Random trees of every operator that the client supports, over documents in which each field can have any shape.
class generator {
 public:
  explicit generator(unsigned seed) : dice_{seed} {}

  /// @param on_client  how many leaves in ten are forced onto the client
  predicate tree(int depth, int on_client) {
    const int what = depth == 0 ? 0 : pick(6);
    if (what == 1) return tree(depth - 1, on_client) && tree(depth - 1, on_client);
    if (what == 2) return tree(depth - 1, on_client) || tree(depth - 1, on_client);
    if (what == 3) return !tree(depth - 1, on_client);
    if (what == 4) return sluice::all_of({tree(depth - 1, on_client), leaf(on_client), leaf(on_client)});
    if (what == 5) return sluice::any_of({tree(depth - 1, on_client), leaf(on_client)});
    return leaf(on_client);
  }

  std::string document() {
    std::string text{"{"};
    for (const char* key : {"a", "b", "c"}) {
      if (pick(5) == 0) continue;
      if (text.size() > 1) text += ',';
      text += '"' + std::string{key} + "\":" + value(2);
    }
    return text + '}';
  }

 private:
  int pick(int below) { return static_cast<int>(dice_() % static_cast<unsigned>(below)); }

  std::string number() {
    static const std::vector<std::string> numbers{"0",
                                                  "1",
                                                  "-1",
                                                  "1.0",
                                                  "1.50",
                                                  "0.1",
                                                  "2",
                                                  "10",
                                                  "100",
                                                  "1e2",
                                                  "0.1000000000000000055",
                                                  "12345678901234567890123",
                                                  "-0",
                                                  "9007199254740993",
                                                  "9007199254740992"};
    return numbers[static_cast<std::size_t>(pick(static_cast<int>(numbers.size())))];
  }
  std::string text() {
    static const std::vector<std::string> texts{"",     "a",    "ab", "abc",  "A",        "%",    "a%",   "_",
                                                "\\\\", "\\\"", "1",  "true", "\xc3\xa4", "null", "a\\nb"};
    return texts[static_cast<std::size_t>(pick(static_cast<int>(texts.size())))];
  }
  std::string value(int depth) {
    switch (pick(depth == 0 ? 5 : 7)) {
      case 0: return "null";
      case 1: return pick(2) == 0 ? "true" : "false";
      case 2: return number();
      case 3:
      case 4: return '"' + text() + '"';
      case 5: {
        std::string all{"["};
        for (int i = pick(4); i > 0; --i) all += value(depth - 1) + (i > 1 ? "," : "");
        return all + ']';
      }
      default: return "{\"a\":" + value(depth - 1) + (pick(2) == 0 ? ",\"d\":" + value(depth - 1) : "") + '}';
    }
  }
  bind_value wanted() {
    switch (pick(4)) {
      case 0: return pick(2) == 0;
      case 1: return pick(3) - 1;
      case 2: return 0.1 * pick(20);
      default: return plain_text();
    }
  }
  std::string plain_text() {
    static const std::vector<std::string> texts{"",  "a",  "ab", "abc", "A",    "%",        "a%",
                                                "_", "\\", "\"", "1",   "true", "\xc3\xa4", "a\nb"};
    return texts[static_cast<std::size_t>(pick(static_cast<int>(texts.size())))];
  }
  sluice::operand operand() {
    static const std::vector<std::string> paths{"a", "b", "c", "a.a", "b.a", "c.0", "a.1", "b.d.a"};
    const sluice::operand plain = field(paths[static_cast<std::size_t>(pick(static_cast<int>(paths.size())))]);
    return pick(6) == 0 ? plain.as_text() : plain;
  }
  predicate test() {
    const sluice::operand of = operand();
    const std::string some = plain_text();
    switch (pick(21)) {
      case 0: return of == wanted();
      case 1: return of != wanted();
      case 2: return of < wanted();
      case 3: return of <= wanted();
      case 4: return of > wanted();
      case 5: return of >= wanted();
      case 6: return of.in({1, pick(5), 100});
      case 7: return of.not_in({some, plain_text()});
      case 8: return of.between(0, pick(10));
      case 9: return of.like("a%");
      case 10: return of.ilike("_B%");
      case 11: return of.contains(some);
      case 12: return of.starts_with(some);
      case 13: return of.ends_with(some);
      case 14: return of.is_null();
      case 15: return of.is_not_null();
      case 16: return of.exists();
      case 17: return of.has_any_key({"a", some.empty() ? "d" : some});
      case 18: return of.has_all({wanted()});
      case 19: return of.has_any({wanted(), nullptr});
      default: return of.array_length() >= pick(3);
    }
  }
  predicate leaf(int on_client) {
    const predicate one = test();
    return pick(10) < on_client ? one.on_client() : one;
  }

  std::mt19937 dice_;
};

std::string ids(sluice::client& db, const sluice::query& asked) {
  std::string all;
  try {
    for (const sluice::row each : db.stream(asked)) {
      sluice::json_document document = each.json();
      all += std::to_string(document["id"].get_int64().value()) + ' ';
    }
  } catch (const sluice::error& e) {
    all = std::string{e.what()} + '\n' + asked.explain();
  }
  return all;
}

TEST(Splitting, ChangesNoResult) {
  generator documents{1};
  std::string insert = "drop table if exists split; create table split (n serial, data jsonb);";
  for (int i = 0; i < 200; ++i) {
    std::string text = documents.document();
    std::string quoted;
    for (const char c : text) quoted += c == '\'' ? std::string{"''"} : std::string{c};
    insert += "insert into split (data) values ('" + quoted + "');";
  }
  psql(insert + "update split set data = data || jsonb_build_object('id', n)");
  sluice::client db{dsn()};
  for (unsigned seed = 0; seed < 600; ++seed) {
    const auto asked = [&](int on_client) {
      return from("split").where(generator{seed}.tree(3, on_client)).order_by(column("n")).build();
    };
    const sluice::query on_server = asked(0);
    const std::string expected = ids(db, on_server);
    ASSERT_EQ(on_server.left(), nullptr);
    for (const int share : {3, 10}) {
      const sluice::query split = asked(share);
      ASSERT_EQ(ids(db, split), expected) << "seed " << seed << '\n' << on_server.explain() << split.explain();
    }
  }
}

TEST(Splitting, AsksTheServerForWhatIsImplied) {
  const predicate mine = local([](const sluice::row&) { return true; });
  const auto where = [](const predicate& p) {
    const std::string text = sluice::test::readable(from("t").where(p).build().text());
    const std::size_t at = text.find(" where ");
    return at == text.npos ? "" : text.substr(at + 7);
  };
  const predicate a = column("a") == 1;
  const predicate b = column("b") == 2;
  EXPECT_EQ(where(mine), "");
  EXPECT_EQ(where(a && mine), R"(("a" = $1::int8))");
  EXPECT_EQ(where((a && mine) || (b && mine)), R"((("a" = $1::int8) or ("b" = $2::int8)))");
  EXPECT_EQ(where(a || mine), "");
  EXPECT_EQ(where(!(a && mine)), "");
  EXPECT_EQ(where(b && !(a || mine)), R"(("b" = $1::int8))");
}

template <class Face>
class LocalConditions : public testing::Test {};
using faces = testing::Types<blocking_face, coroutine_face>;
TYPED_TEST_SUITE(LocalConditions, faces);

TYPED_TEST(LocalConditions, LimitAndOffsetCountWhatMatches) {
  psql(
      "drop table if exists numbers; create table numbers as select n, jsonb_build_object('n', n) as data from "
      "generate_series(1, 100000) n");
  const auto even = local([](const sluice::row& each) {
    sluice::json_document document = each.json();
    return document["n"].get_int64().value() % 2 == 0;
  });
  const outcome seen =
      TypeParam::ask(dsn(), from("numbers").where(even && field("n") > 10).order_by(column("n")).offset(2).limit(3));
  EXPECT_EQ(seen.rows, (std::vector<std::string>{"{\"n\": 16}", "{\"n\": 18}", "{\"n\": 20}"}));
  EXPECT_FALSE(seen.failure);
  EXPECT_EQ(seen.stats.rows, 3U);
  EXPECT_TRUE(seen.usable) << "the server was stopped";
  const outcome all = TypeParam::ask(dsn(), from("numbers").where(even));
  EXPECT_EQ(all.rows.size(), 50'000U);
  EXPECT_TRUE(TypeParam::ask(dsn(), from("numbers").where(even).limit(0)).rows.empty());
}

TYPED_TEST(LocalConditions, ThatFailEndTheStream) {
  psql(
      "drop table if exists numbers; create table numbers as select n, jsonb_build_object('n', n) as data from "
      "generate_series(1, 1000) n");
  const auto fails = local([](const sluice::row& each) -> bool {
    if (each.text() == "{\"n\": 500}") throw sluice::error{sluice::errc::bad_json, "not this one"};
    return true;
  });
  const outcome seen = TypeParam::ask(dsn(), from("numbers").where(fails).order_by(column("n")));
  ASSERT_TRUE(seen.failure);
  EXPECT_STREQ(seen.failure->what(), "not this one");
  EXPECT_TRUE(seen.usable);
}

}  // namespace
}  // namespace splitting_test
