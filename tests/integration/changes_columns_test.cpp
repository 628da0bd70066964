// Changes whose rows come as columns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <sluice/stream/columns.hpp>

#include "followed.hpp"

namespace changes_columns_test {

struct account {
  std::int32_t id;
  std::optional<std::string> name;
  double balance;
};
SLUICE_JSON(account, id, name, balance)

namespace {

using namespace sluice::test;
using sluice::change;
using sluice::change_chunk;
using sluice::change_options;
using sluice::errc;
using sluice::operation;
using testing::ElementsAre;
using testing::HasSubstr;

change_options as_columns(change_options how) {
  how.columns = true;
  return how;
}

/// Calls `use` with the next changes.
template <class Use>
void each_of(sluice::blocking_change_stream& from, std::size_t count, Use use) {
  while (count != 0) {
    const change_chunk some = from.next();
    for (const change each : some) {
      use(each);
      --count;
    }
    from.acknowledge(some.last());
  }
}

template <class Call>
void expect_bad_state(Call call, std::string_view words) {
  try {
    (void)call();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::bad_state) << e.what();
    EXPECT_THAT(e.what(), HasSubstr(std::string{words}));
  }
}

TEST(ChangesAsColumns, HaveTheTypesOfTheirColumns) {
  const published here{
      "columns_types",
      "create table columns_t (id int primary key, name text, balance numeric, at timestamptz, tags int[], raw "
      "bytea, acl aclitem)"};
  sluice::blocking_change_stream changes{dsn(), as_columns(here.passing())};
  here.run(
      "insert into columns_t values (7, 'x', 12.5, '2026-11-28 12:00:00.25+00', '{1,2,null}', '\\x00ff', "
      "'sluice=r/sluice'),"
      " (8, null, 'NaN', '-infinity', null, '', null)");
  int seen = 0;
  each_of(changes, 2, [&](const change& each) {
    using namespace std::chrono;
    if (++seen == 2) {
      EXPECT_EQ(each.columns().get<std::optional<std::string>>("name"), std::nullopt);
      EXPECT_EQ(each.columns().get<sys_time<microseconds>>("at"), sys_time<microseconds>::min());
      EXPECT_EQ(each.columns().get<std::optional<std::string>>("acl"), std::nullopt);
      return;
    }
    const auto [id, name] = each.columns().get<int, std::string_view>();
    EXPECT_EQ(id, 7);
    EXPECT_EQ(name, "x");
    EXPECT_EQ(each.columns().get<account>().balance, 12.5);
    const sys_time<microseconds> noon = sys_days{2026y / November / 28} + 12h + 250ms;
    EXPECT_EQ(each.columns().get<sys_time<microseconds>>("at"), noon);
    EXPECT_THAT(each.columns().get<std::vector<std::optional<int>>>("tags"), ElementsAre(1, 2, std::nullopt));
    EXPECT_EQ(each.columns().get<std::vector<std::byte>>("raw").size(), 2U);
    EXPECT_EQ(each.columns().get<std::string>("acl"), "sluice=r/sluice") << "a type without a binary form";
    EXPECT_EQ(each.columns().columns().size(), 7U);
    expect_bad_state([&] { return each.text(); }, "change_options::columns");
    expect_bad_state([&] { return each.old_columns(); }, "no old row");
  });
}

TEST(ChangesAsColumns, HaveTheOldRow) {
  const published here{
      "columns_old",
      "create table columns_t (id int primary key, v text); alter table columns_t replica identity full; create table "
      "keyed (id int primary key, v text)"};
  sluice::blocking_change_stream changes{dsn(), as_columns(here.passing())};
  here.run("insert into columns_t values (1, 'a'); update columns_t set v = 'b'; delete from columns_t");
  here.run("insert into keyed values (1, 'a'); update keyed set id = 2; delete from keyed");
  std::vector<std::string> seen;
  each_of(changes, 6, [&](const change& each) {
    std::string line{to_string(each.operation())};
    const auto add = [&line](const sluice::row& from) {
      const auto [id, v] = from.get<int, std::optional<std::string>>();
      line += ' ' + std::to_string(id) + v.value_or("-");
    };
    if (each.operation() != operation::insert && (each.old_is_key() || each.relation().name == "columns_t"))
      add(each.old_columns());
    if (each.operation() != operation::remove) add(each.columns());
    seen.push_back(line);
    if (each.operation() == operation::remove) expect_bad_state([&] { return each.columns(); }, "no new row");
  });
  EXPECT_THAT(seen, ElementsAre("insert 1a", "update 1a 1b", "delete 1b", "insert 1a", "update 1- 2a", "delete 2-"));
}

TEST(ChangesAsColumns, SayWhichValuesWereNotSent) {
  const published here{"columns_toast",
                       "create table columns_t (id int primary key, n int, v text); alter table columns_t alter v set "
                       "storage external"};
  here.run("insert into columns_t select 1, 1, repeat('x', 10000)");
  sluice::blocking_change_stream changes{dsn(), as_columns(here.passing())};
  here.run("update columns_t set n = 2; alter table columns_t replica identity full; update columns_t set n = 3");
  int seen = 0;
  each_of(changes, 2, [&](const change& each) {
    EXPECT_EQ(each.columns().get<int>("n"), ++seen + 1);
    if (seen == 1) {
      EXPECT_THAT(each.unchanged(), ElementsAre("v"));
      EXPECT_EQ(each.columns().get<std::optional<std::string>>("v"), std::nullopt);
    } else {
      EXPECT_THAT(each.unchanged(), ElementsAre());
      EXPECT_EQ(each.columns().get<std::string>("v").size(), 10000U);
    }
  });
}

TEST(ChangesAsColumns, FollowASnapshotOfColumns) {
  const published here{"columns_snapshot"};
  here.run("insert into t values (1, 'a'), (2, null)");
  change_options how = as_columns(here.kept());
  how.snapshot = sluice::initial_snapshot::when_created;
  sluice::blocking_change_stream changes{dsn(), how};
  std::vector<std::string> seen;
  const auto take = [&](const change& each) {
    const auto [id, v] = each.columns().get<int, std::optional<std::string>>();
    seen.push_back(std::string{to_string(each.operation())} + ' ' + std::to_string(id) + v.value_or("-"));
  };
  each_of(changes, 2, [&](const change& each) {
    take(each);
    expect_bad_state([&] { return each.text(); }, "change_options::columns");
  });
  here.run("insert into t values (3, 'c')");
  each_of(changes, 1, take);
  EXPECT_THAT(seen, ElementsAre("snapshot 1a", "snapshot 2-", "insert 3c"));
}

TEST(ChangesAsColumns, AreReadAsWhatADomainIsMadeOf) {
  const published here{"columns_domains",
                       "create domain columns_count as int; create domain columns_more as columns_count; create table "
                       "domains (n columns_count primary key, m columns_more, all_n columns_count[]); alter table "
                       "domains replica identity full"};
  here.run("insert into domains values (1, 2, '{3,4}')");
  change_options how = as_columns(here.kept());
  how.snapshot = sluice::initial_snapshot::when_created;
  sluice::blocking_change_stream changes{dsn(), how};
  const auto read = [](const change& each) {
    EXPECT_EQ(each.columns().get<int>("n"), 1) << to_string(each.operation());
    EXPECT_EQ(each.columns().get<int>("m"), 2);
    EXPECT_THAT(each.columns().get<std::vector<int>>("all_n"), ElementsAre(3, 4));
  };
  each_of(changes, 1, read);  // of the snapshot
  here.run("update domains set m = m; delete from domains");
  each_of(changes, 2, [&](const change& each) {
    if (each.operation() == operation::update)
      read(each);
    else
      EXPECT_EQ(each.old_columns().get<int>("m"), 2);
  });
}

TEST(ChangesAsColumns, AreRefusedOfObjects) {
  const published here{"columns_refused"};
  sluice::blocking_change_stream changes{dsn(), here.passing()};
  here.run("insert into t values (1, 'a')");
  each_of(changes, 1, [&](const change& each) {
    expect_bad_state([&] { return each.columns(); }, "come as objects");
    EXPECT_EQ(each.text(), R"({"id":1,"v":"a"})");
  });
}

TEST(ChangesAsColumns, HaveNoConditions) {
  const published here{"columns_unconditional"};
  change_options how = as_columns(here.passing());
  how.where = sluice::field("id") == 1;
  try {
    sluice::blocking_change_stream changes{dsn(), how};
    ADD_FAILURE() << "nothing was thrown";
  } catch (const sluice::error& e) {
    EXPECT_EQ(e.code(), errc::bad_query) << e.what();
  }
}

}  // namespace
}  // namespace changes_columns_test
