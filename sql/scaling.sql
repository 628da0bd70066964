-- Ten million rows for the benchmark of large reads. Run sql/bench.sql first: these rows are copies of its rows.
set client_min_messages = warning;
drop table if exists bench.test_10m;
create table bench.test_10m as select data, data_json from bench.test_1m, generate_series(1, 10);
analyze bench.test_10m;
-- Loads the rows into shared_buffers.
select count(data::text) + count(data_json::text) as warmed from bench.test_10m;
