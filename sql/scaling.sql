-- Ten million rows, for the benchmark of large readings; after sql/bench.sql, of whose rows they are copies.
set client_min_messages = warning;
drop table if exists bench.test_10m;
create table bench.test_10m as select data, data_json from bench.test_1m, generate_series(1, 10);
analyze bench.test_10m;
-- Into the server's memory, where readings that come often find them.
select count(data::text) + count(data_json::text) as warmed from bench.test_10m;
