# shellcheck shell=bash
# The tables that ci/changes and ci/promotion mirror with examples/mirror, writers that change them, and the comparison
# of both sides. Sourced after ci/common.sh.

# make_mirrored CONNINFO DATABASE: with empty tables.
make_mirrored() {
  psql -Xqd "$1" -c "create database $2" -c "alter database $2 set synchronous_commit = on"
  psql -Xqd "$1 dbname=$2" <<'SQL'
create type mood as enum ('sad', 'so "so"');
create table account (id int primary key, balance numeric not null, note text, moods mood[], at timestamptz, doc jsonb);
alter table account alter note set storage external;
create table whole (id int, part text, primary key (id, part));
alter table whole replica identity full;
create table parts (id int primary key, v int) partition by range (id);
create table parts_low partition of parts for values from (minvalue) to (500);
create table parts_high partition of parts for values from (500) to (maxvalue);
create table journal (id int, other int, at timestamptz); -- no key: a row that comes twice is there twice
SQL
}

# fill_mirrored CONNINFO: the rows before the first change, and the publication "mirrored".
fill_mirrored() {
  psql -Xqd "$1" <<'SQL'
insert into account select n, n * 1.5, (select string_agg(md5(m::text || n), '') from generate_series(1, 100) m),
  array['sad']::mood[], now(), jsonb_build_object('n', n) from generate_series(1, 1000) n;
insert into parts select n, n from generate_series(1, 999) n;
create publication mirrored for all tables;
SQL
}

# write_on CONNINFO FOLDER RATE: sixteen writers, with as many transactions a second, until it is terminated. They begin
# again when the server is gone.
write_on() {
  local bench
  cat >"$2/work.sql" <<'SQL'
\set id random(1, 1000)
\set other random(1, 1000)
begin;
update account set balance = balance - 1.25, at = clock_timestamp() where id = :id;
update account set balance = balance + 1.25, doc = doc || '{"seen": [1.50, null]}' where id = :other;
insert into whole values (:id, 'x' || :other) on conflict do nothing;
delete from whole where id = :other;
update parts set v = v + 1 where id = :id % 1000;
update account set note = note || 'x' where id = :id and :other < 50;
insert into journal values (:id, :other, clock_timestamp());
commit;
SQL
  trap 'kill "$bench"; exit' TERM
  while :; do
    pgbench -n -c 16 -j 2 -T 100000 -R "$3" -f "$2/work.sql" "$1" >"$2/pgbench.log" 2>&1 &
    bench=$!
    wait "$bench" || sleep 0.2
  done
}

# compare_mirrored SOURCE TARGET: says what differs, and fails if anything does.
compare_mirrored() {
  local table question expected found status=0
  for table in account whole parts journal; do
    question="select count(*), md5(string_agg(to_jsonb(t)::text, ' ' order by to_jsonb(t)::text)) from $table t"
    expected=$(psql -XAtd "$1" -c "$question")
    found=$(psql -XAtd "$2" -c "$question")
    say "$table: $expected"
    if [[ $found != "$expected" ]]; then
      say "$table differs: $found"
      status=1
    fi
  done
  return "$status"
}
