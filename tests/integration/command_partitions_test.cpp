// Partitions of the command: several processes read what another one holds.
#include <gtest/gtest.h>

#include <string>

#include "cluster.hpp"
#include "shell.hpp"

namespace command_partitions_test {
namespace {

using namespace sluice::test;

/// A holder in the background, whose descriptors are the lines of `parts`, and that ends with its standard input.
finished with_partitions(const std::string& what, const std::string& then) {
  return shell("SLUICE=" SLUICE_COMMAND "; export SLUICE; coproc \"$SLUICE\" " + what +
               "; in=${COPROC[0]} out=${COPROC[1]} holder=$COPROC_PID; mapfile -t parts <&\"$in\"; " + then +
               "; exec {out}>&-; wait \"$holder\"; echo \"held: $?\" >&2");
}

class CommandPartitions : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    psql(
        "drop table if exists command_parts; create table command_parts (id int, t text); "
        "insert into command_parts select n, 'row ' || n from generate_series(1, 20000) n");
  }
};

TEST_F(CommandPartitions, AreReadBySeveralProcessesWhileOthersWrite) {
  const std::string expected = psql("select row_to_json(c) from command_parts c order by c.id");
  const finished end = with_partitions(
      "command_parts --partitions 6",
      "psql -Xqc 'delete from command_parts where id % 3 = 0; insert into command_parts values (0, null)'; "
      "printf '%s\\n' \"${parts[@]}\" | parallel --will-cite -j 3 \"$SLUICE\" --partition {} | sort -t: -k2n");
  std::string sorted = end.out;
  ASSERT_FALSE(sorted.empty()) << end.err;
  sorted.pop_back();
  EXPECT_EQ(sorted, expected) << end.err;
  EXPECT_EQ(end.err, "held: 0\n");
  SetUpTestSuite();
}

TEST_F(CommandPartitions, AreWrittenInEveryFormat) {
  const finished end =
      with_partitions("--sql 'select id, t from command_parts' --partitions 2 --split key:id",
                      "echo ${#parts[@]}; for format in ndjson csv tsv arrow; do for part in "
                      "\"${parts[@]}\"; do \"$SLUICE\" --partition - "
                      "--format $format <<<\"$part\" | wc -c; done | awk '{ sum += $1 } END { print sum }'; done; "
                      "\"$SLUICE\" --partition \"${parts[0]}\" --explain");
  const std::string csv = shell(SLUICE_COMMAND " --sql 'select id, t from command_parts' --format csv | wc -c").out;
  EXPECT_EQ(end.out.substr(0, 2), "2\n") << end.out << end.err;
  EXPECT_NE(end.out.find("partition 1 of 2"), std::string::npos) << end.out;
  EXPECT_NE(end.out.find("select id, t from command_parts"), std::string::npos) << end.out;
  const std::string twice_a_header = std::to_string(std::stoul(csv) + std::string{"id,t\n"}.size());
  EXPECT_NE(end.out.find('\n' + twice_a_header + '\n'), std::string::npos) << end.out;
  EXPECT_EQ(end.err, "held: 0\n");
}

TEST_F(CommandPartitions, AreRefusedWithoutRows) {
  const finished end = with_partitions("command_parts --partitions 2", "echo \"${parts[0]}\"");
  const std::string gone = end.out.substr(0, end.out.find('\n'));
  const finished late = shell(SLUICE_COMMAND " --partition " + gone);
  EXPECT_EQ(late.status, 7) << late.err;
  EXPECT_EQ(late.out, "");
  const finished damaged = shell(SLUICE_COMMAND " -d 'host=/nowhere' --partition " + gone.substr(0, gone.size() - 3));
  EXPECT_EQ(damaged.status, 2) << damaged.err;
  EXPECT_EQ(shell(SLUICE_COMMAND " --partition " + gone + " --where 'a = 1'").status, 2);
  EXPECT_EQ(shell(SLUICE_COMMAND " command_parts --partition " + gone).status, 2);
  EXPECT_EQ(shell(SLUICE_COMMAND " command_parts --partitions 2 --format csv").status, 2);
  EXPECT_EQ(shell(SLUICE_COMMAND " --sql 'select 1' --partitions 2").status, 2);
}

TEST_F(CommandPartitions, EndWithTheirConnection) {
  const finished end =
      with_partitions("-d 'application_name=command_parts_holder' command_parts --partitions 2",
                      "psql -XAtqc \"select pg_terminate_backend(pid) from pg_stat_activity where application_name = "
                      "'command_parts_holder'\" >/dev/null; wait \"$holder\"; echo \"lost: $?\"");
  EXPECT_EQ(end.out, "lost: 3\n") << end.err;
}

}  // namespace
}  // namespace command_partitions_test
