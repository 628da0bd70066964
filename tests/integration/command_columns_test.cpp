// Results as CSV and as tab-separated text, beside what COPY and psql make of them.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cluster.hpp"
#include "shell.hpp"

namespace command_columns_test {
namespace {

using namespace sluice::test;

finished run(const std::string& line) { return shell("SLUICE=" SLUICE_COMMAND "; " + line); }

/// Values that a reader could take for something else, of several types, and NULL in each place.
const std::string awkward =
    R"(select * from (values
         (1, 'plain', 1.50::numeric, now() - now(), '{1,NULL,"a b"}'::text[], '\x00ff'::bytea, true),
         (2, '', 'NaN', '1 day 2 hours', '{}', '', false),
         (3, null, null, null, null, null, null),
         (4, 'a,b', -0.0, '-1 mon', '{"\"",\\}', '\x22', null),
         (5, '"', 1e20, '0', array[E'\n'], null, true),
         (6, E'line\nbreak\r', 12345678901234567890.123456789, '0', array[',']::text[], '\x0a', true),
         (7, E'\t\b\f\v\\', 0, '0', null, null, true),
         (8, '\N', 0, '0', null, null, true),
         (9, '\.', 0, '0', null, null, true),
         (10, ' spaces ', 0, '0', null, null, true),
         (11, U&'\00e4\+01f600', 0, '0', null, null, true)
       ) v (n, "the ""text"", quoted", "a	tab", i, a, b, t) order by n)";

class CommandColumns : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql("create or replace view awkward_columns as " + awkward +
         "; drop table if exists without_documents; create table without_documents (id int, \"Name\" text); "
         "insert into without_documents values (1, 'a'), (2, null)");
  }
};

const std::vector<std::string> modes{" --mode plain", " --mode paged --page-rows 4", " --mode bulk"};

TEST_F(CommandColumns, AreTheCsvThatCopyWrites) {
  const std::string copied =
      shell("psql -Xqc 'copy (select * from awkward_columns) to stdout (format csv, header)'").out;
  ASSERT_NE(copied.find("\"the \"\"text\"\", quoted\""), std::string::npos) << copied;
  for (const std::string& mode : modes) {
    std::string written = run("$SLUICE --sql 'select * from awkward_columns' --format csv" + mode).out;
    const std::size_t end_of_copy = written.find("9,\"\\.\"");  // COPY quotes it only in a column of its own
    ASSERT_NE(end_of_copy, std::string::npos) << written;
    EXPECT_EQ(written.replace(end_of_copy, 6, "9,\\."), copied) << mode;
  }
}

TEST_F(CommandColumns, AreTheTextThatCopyWrites) {
  const std::string copied = shell("psql -Xqc 'copy (select * from awkward_columns) to stdout'").out;
  for (const std::string& mode : modes)
    EXPECT_EQ(run("$SLUICE --sql 'select * from awkward_columns' --format tsv" + mode).out,
              "n\tthe \"text\", quoted\ta\\ttab\ti\ta\tb\tt\n" + copied)
        << mode;
}

TEST_F(CommandColumns, AreReadBackAsTheyWere) {
  for (const std::string format : {"csv", "tsv"}) {
    const std::string how = format == "csv" ? "csv, header" : "text";
    psql(
        "drop table if exists columns_read_back; create table columns_read_back as select * from awkward_columns limit "
        "0");
    const finished end = run("$SLUICE --sql 'select * from awkward_columns' --format " + format +
                             (format == "csv" ? "" : " | tail -n +2") +
                             " | psql -Xqc 'copy columns_read_back from stdin (format " + how + ")'");
    EXPECT_EQ(end.status, 0) << end.err;
    EXPECT_EQ(psql("select count(*) from (select row(q.*)::text from columns_read_back q intersect all "
                   "select row(q.*)::text from awkward_columns q) same"),
              "11")
        << format;
  }
}

TEST_F(CommandColumns, HaveAHeaderWithoutRows) {
  for (const std::string& mode : modes) {
    EXPECT_EQ(run("$SLUICE --sql 'select 1 as a, 2 as \"b,c\" where false' --format csv" + mode).out, "a,\"b,c\"\n")
        << mode;
    EXPECT_EQ(run("$SLUICE --sql 'select 1 as a, 2 as b where false' --format tsv" + mode).out, "a\tb\n") << mode;
  }
  EXPECT_EQ(run("$SLUICE --sql 'select from generate_series(1, 2)' --format csv").out, "\n\n\n");
}

TEST_F(CommandColumns, WriteNullAsAsked) {
  const std::string line = R"($SLUICE --sql "select null as a, '' as b, 'none' as c" --format )";
  EXPECT_EQ(run(line + "csv").out, "a,b,c\n,\"\",none\n");
  EXPECT_EQ(run(line + "csv --null none").out, "a,b,c\nnone,,\"none\"\n");
  EXPECT_EQ(run(line + "tsv").out, "a\tb\tc\n\\N\t\tnone\n");
  EXPECT_EQ(run(line + "tsv --null=").out, "a\tb\tc\n\t\tnone\n");
  for (const std::string wrong : {"csv --null a,b", "csv --null '\"'", R"(tsv --null $'a\tb')", R"(tsv --null $'\n')",
                                  "array --null x", "csv --validate", "tsv --parallel 2"}) {
    const finished end = run("$SLUICE without_documents --format " + wrong);
    EXPECT_EQ(end.status, 2) << wrong;
    EXPECT_TRUE(end.err.starts_with("sluice: usage: --")) << end.err;
    EXPECT_EQ(end.out, "") << wrong;
  }
}

TEST_F(CommandColumns, AreThoseOfRelations) {
  psql(
      "drop table if exists csv_documents; create table csv_documents (data jsonb); "
      "insert into csv_documents values ('{\"a\": \"b,c\"}'), (null)");
  for (const std::string& mode : modes) {
    EXPECT_EQ(run("$SLUICE without_documents --format csv" + mode).out, "id,Name\n1,a\n2,\n") << mode;
    EXPECT_EQ(run("$SLUICE without_documents --select Name --where 'id = 1' --format tsv" + mode).out, "Name\na\n")
        << mode;
    EXPECT_EQ(run("$SLUICE csv_documents --format csv" + mode).out, "data\n\"{\"\"a\"\": \"\"b,c\"\"}\"\n\n") << mode;
  }
}

TEST_F(CommandColumns, AreCountedWithTheirBytes) {
  EXPECT_EQ(run("$SLUICE without_documents --count --format csv").out, "{\"rows\":2,\"bytes\":3}\n");
  const finished end = run("$SLUICE without_documents --format csv --stats");
  EXPECT_NE(end.err.find("\"rows\":2,"), std::string::npos) << end.err;
}

TEST_F(CommandColumns, OfAnyStatementThatReturnsRows) {
  EXPECT_EQ(run("$SLUICE --sql 'show standard_conforming_strings' --format csv").out,
            "standard_conforming_strings\non\n");
  EXPECT_EQ(run("$SLUICE --sql 'values (1, null), (2, 3)' --format csv").out, "column1,column2\n1,\n2,3\n");
  const finished none = run("$SLUICE --sql 'create temporary table t (a int)' --format csv");
  EXPECT_EQ(none.status, 0) << none.err;
  EXPECT_EQ(none.out, "");
}

TEST_F(CommandColumns, BindNullInItsPlace) {
  EXPECT_EQ(run("$SLUICE --sql 'select $1 as a, $2 as b, $3 as c' --param x --param-null --param y").out,
            "{\"a\":\"x\",\"b\":null,\"c\":\"y\"}\n");
  EXPECT_EQ(run("$SLUICE --sql 'select $1::int is null and $2::text[] is null as none' --param-null --param-null").out,
            "{\"none\":true}\n");
  EXPECT_EQ(run("$SLUICE --sql 'select $1::int as a' --param-null --mode bulk --format csv").out, "a\n\n");
  EXPECT_EQ(run("$SLUICE --param-null=1 --sql 'select $1'").status, 2);
  EXPECT_EQ(run("$SLUICE without_documents --param-null").status, 2);
}

TEST_F(CommandColumns, AreWhatAnExplanationOfARelationWithoutDocumentsNames) {
  psql("drop table if exists with_documents; create table with_documents (data jsonb)");
  const std::string columns = run("$SLUICE without_documents --explain").out;
  EXPECT_TRUE(columns.starts_with("SQL:\n  select * from \"without_documents\"\n")) << columns;
  EXPECT_EQ(columns.find("data"), std::string::npos) << columns;
  const std::string documents = run("$SLUICE with_documents --explain --limit 3").out;
  EXPECT_TRUE(documents.starts_with("SQL:\n  select \"data\" from \"with_documents\" limit $1::pg_catalog.int8\n"))
      << documents;
  EXPECT_EQ(documents.find("columns"), std::string::npos) << documents;
  EXPECT_EQ(run("$SLUICE no_such_relation --explain").status, 7);

  const finished alone = run("$SLUICE without_documents --explain -d 'host=127.0.0.1 port=1'");
  EXPECT_EQ(alone.status, 0);
  EXPECT_TRUE(alone.err.starts_with("sluice: warning: no server says which of the two it is: ")) << alone.err;
  EXPECT_NE(alone.out.find("select * from"), std::string::npos) << alone.out;
  EXPECT_EQ(run("$SLUICE without_documents --column x --explain -d 'host=127.0.0.1 port=1'").err, "");
}

TEST_F(CommandColumns, ErrorsPointIntoTheQueryThatWasRun) {
  const finished end = run("$SLUICE without_documents --where 'nothing = 1'");
  EXPECT_EQ(end.status, 7);
  EXPECT_NE(end.err.find("from \"without_documents\" where ((\"nothing\""), std::string::npos) << end.err;
}

TEST_F(CommandColumns, ThatAreNotJsonAreRefusedWithWhatToWrite) {
  psql(
      "drop table if exists text_for_data; create table text_for_data (id int, data text, place point); "
      "drop table if exists places_of; create table places_of (id int, place point)");
  const finished documents = run("$SLUICE text_for_data");
  EXPECT_EQ(documents.status, 7);
  EXPECT_NE(documents.err.find("HINT: --sql 'select * from ...'"), std::string::npos) << documents.err;
  const finished path = run("$SLUICE places_of --where 'place.x = 1'");
  EXPECT_EQ(path.status, 7);
  EXPECT_NE(path.err.find("--sql 'select ... where ...'"), std::string::npos) << path.err;
}

}  // namespace
}  // namespace command_columns_test
