-- The data of the benchmarks: about 3.2 million rows, all of them stored, because a view that computes its rows would
-- measure the server. Nothing is random: every load gives the same bytes. The documents are in column `data`.
--
--   view                 rows       bytes a row   document
--   v_test_1k            1,000      about 110     flat, 6 keys: id, name, status, age, bucket, score
--   v_test_10k           10,000     about 110     the same
--   v_test_100k          100,000    about 110     the same
--   v_test_1m            1,000,000  about 110     the same
--   v_test_..._json      as above   about 110     the same rows as json, which the server sends without building a text
--   v_mid                20,000     about 330     flat, 13 keys
--   v_nested             20,000     about 830     three levels of objects, two arrays
--   v_doc_46k            500        about 46 K    an object with 184 nested entries
--   v_large_10k          500        10 KiB        an object with an array of strings of 1 KiB
--   v_large_100k         100        100 KiB       the same
--   v_large_1m           20         1 MiB         the same
--   v_large_50m          2          50 MiB        the same
--
--   v_active_1m          100,000    about 110     the active rows of v_test_1m (10 %), found by a scan
--   v_bucket_1m          1,000,000  about 110     (bucket, data) with an index on bucket, 0 to 999, evenly
--                                                 spread: bucket < 1000, 100, 10, 1 is 100, 10, 1, 0.1 %
--   v_wide               50,000     about 170     8 columns: id, name, status, age, score, active, created_at, data
--   bench.columns_1m     1,000,000  about 150     a table of 8 columns; the size is that of the object made of them
--   bench.lineitem_1m    1,000,000  about 430     a table with the 16 columns of TPC-H's lineitem; likewise
--
-- Load it with: psql -v ON_ERROR_STOP=1 -f sql/bench.sql
begin;
set local client_min_messages = warning;
drop schema if exists bench cascade; -- also drops the views on it
create schema bench;

create table bench.test_1m (
  id        int not null,
  bucket    int not null,
  data      jsonb not null,
  data_json json not null
);
comment on table bench.test_1m is 'small flat documents, each stored as jsonb and as json';

insert into bench.test_1m
select id, bucket, document::jsonb, document::jsonb::text::json
from (select id,
             bucket,
             format('{"id": %s, "name": "customer-%s", "status": "%s", "age": %s, "bucket": %s, "score": %s.%s}',
                    id, lpad(id::text, 9, '0'),
                    case id % 10 when 0 then 'active' when 1 then 'suspended' else 'inactive' end,
                    18 + id % 70, bucket, id % 100, lpad((id % 97)::text, 2, '0')) as document
      from (select id, (id::bigint * 7919 % 1000)::int as bucket from generate_series(1, 1000000) as id) as numbers
     ) as documents;

create table bench.test_100k as select * from bench.test_1m where id <= 100000;
create table bench.test_10k as select * from bench.test_100k where id <= 10000;
create table bench.test_1k as select * from bench.test_10k where id <= 1000;
comment on table bench.test_100k is 'the first rows of test_1m';
comment on table bench.test_10k is 'the first rows of test_1m';
comment on table bench.test_1k is 'the first rows of test_1m';
create index test_1m_bucket on bench.test_1m (bucket);

create table bench.mid as
select id,
       jsonb_build_object(
         'id', id, 'name', 'customer-' || id, 'email', 'customer-' || id || '@mail.example.com',
         'status', (array['active', 'invited', 'suspended'])[1 + id % 3], 'age', 18 + id % 70,
         'city', (array['Lisbon', 'Osaka', 'Nairobi', 'Lima', 'Oslo', 'Toronto'])[1 + id % 6],
         'phone', '+44 20 ' || lpad(id::text, 8, '0'), 'balance', id % 100000 / 100.0, 'verified', id % 2 = 0,
         'referrer', null, 'visits', id % 1000, 'token', md5(id::text),
         'created_at', '2025-03-01T12:00:00Z') as data
from generate_series(1, 20000) as id;
comment on table bench.mid is 'flat documents of about 330 bytes';

create table bench.nested as
select id,
       jsonb_build_object(
         'id', id, 'name', 'order-' || id,
         'customer', jsonb_build_object(
           'id', id % 1000, 'name', 'customer-' || id % 1000, 'email', 'customer-' || id % 1000 || '@mail.example.com',
           'address', jsonb_build_object('street', id % 300 || ' Long Lane', 'city', 'Lisbon', 'postcode', '1100-042',
                                         'position', jsonb_build_object('lat', 38.72, 'lon', -9.14))),
         'lines', (select jsonb_agg(jsonb_build_object('sku', 'SKU-' || (id * 7 + n) % 10000, 'quantity', n,
                                                       'price', (id + n) % 9000 / 100.0,
                                                       'options', jsonb_build_object('colour', 'green', 'gift', n = 1)))
                   from generate_series(1, 4) as n),
         'tags', jsonb_build_array('express', 'fragile', 'tag-' || id % 50),
         'token', md5(id::text), 'signature', md5('a' || id)) as data
from generate_series(1, 20000) as id;
comment on table bench.nested is 'nested documents of about 830 bytes';

-- Stored uncompressed, because decompressing them would measure the server.
create table bench.doc_46k (id int, data jsonb);
alter table bench.doc_46k alter column data set storage external;
comment on table bench.doc_46k is 'nested documents of about 46 KB';
insert into bench.doc_46k
select id,
       jsonb_build_object(
         'id', id, 'title', 'report ' || id,
         'entries', (select jsonb_agg(jsonb_build_object(
                              'n', n, 'key', md5(n::text), 'value', (id * n) % 100000 / 100.0, 'ok', n % 3 > 0,
                              'note', 'a line of text that somebody wrote about entry ' || n,
                              'path', jsonb_build_array('root', 'branch-' || n % 7, 'leaf-' || n),
                              'limits', jsonb_build_object('low', n, 'high', n + 100, 'unit', 'mm')))
                     from generate_series(1, 184) as n)) as data
from generate_series(1, 500) as id;

create table bench.large (kib int, id int, data jsonb);
alter table bench.large alter column data set storage external;
comment on table bench.large is 'documents of kib KiB';
insert into bench.large
select kib, id,
       jsonb_build_object('id', id, 'parts', (select jsonb_agg(repeat(md5((id * 60000 + n)::text), 32))
                                              from generate_series(1, kib) as n))
from (values (10, 500), (100, 100), (1024, 20), (51200, 2)) as sizes (kib, documents),
     generate_series(1, documents) as id;

create table bench.wide as
select id, 'user-' || lpad(id::text, 9, '0') as name,
       case id % 10 when 0 then 'active' when 1 then 'suspended' else 'inactive' end as status,
       18 + id % 70 as age, id % 100000 / 100.0 as score, id % 2 = 0 as active,
       timestamptz '2025-01-01 00:00:00+00' + id * interval '1 minute' as created_at,
       jsonb_build_object('id', id, 'city', 'Lisbon', 'token', md5(id::text)) as data
from generate_series(1, 50000) as id;
comment on table bench.wide is 'rows of eight columns';

create table bench.columns_1m as
select id::bigint as id, 'user-' || lpad(id::text, 9, '0') as name, round(id % 1000000 / 100.0, 2) as total,
       timestamptz '2025-01-01 00:00:00+00' + id * interval '1.234567 seconds' as created_at, id % 2 = 0 as active,
       18 + id % 70 as age, case id % 10 when 0 then 'active' when 1 then 'suspended' else 'inactive' end as status,
       (id % 100000 / 100.0)::float8 as score
from generate_series(1, 1000000) as id;
comment on table bench.columns_1m is 'bigint, text, numeric, timestamptz, boolean, int, text and double precision';

create table bench.lineitem_1m as
select (1 + id / 4)::bigint as l_orderkey, (1 + id::bigint * 7919 % 200000)::int as l_partkey,
       (1 + id::bigint * 31 % 10000)::int as l_suppkey, 1 + id % 4 as l_linenumber,
       (1 + id % 50)::numeric(15,2) as l_quantity,
       round((1 + id % 50) * (90000 + id::bigint * 7919 % 100000) / 100.0, 2)::numeric(15,2) as l_extendedprice,
       (id % 11 / 100.0)::numeric(15,2) as l_discount, (id % 9 / 100.0)::numeric(15,2) as l_tax,
       (array['N', 'R', 'A'])[1 + id % 3]::char(1) as l_returnflag,
       (array['O', 'F'])[1 + id % 2]::char(1) as l_linestatus, date '1992-01-02' + id % 2500 as l_shipdate,
       date '1992-02-01' + id % 2450 as l_commitdate, date '1992-01-03' + id % 2520 as l_receiptdate,
       (array['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[1 + id % 4]::char(25)
         as l_shipinstruct,
       (array['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'])[1 + id % 7]::char(10) as l_shipmode,
       left('carefully final deposits sleep ' || md5(id::text), 10 + id % 34)::varchar(44) as l_comment
from generate_series(0, 999999) as id;
comment on table bench.lineitem_1m is 'columns and types of TPC-H''s lineitem';

create view v_test_1k as select data from bench.test_1k;
create view v_test_10k as select data from bench.test_10k;
create view v_test_100k as select data from bench.test_100k;
create view v_test_1m as select data from bench.test_1m;
create view v_test_1k_json as select data_json as data from bench.test_1k;
create view v_test_10k_json as select data_json as data from bench.test_10k;
create view v_test_100k_json as select data_json as data from bench.test_100k;
create view v_test_1m_json as select data_json as data from bench.test_1m;
create view v_mid as select data from bench.mid;
create view v_nested as select data from bench.nested;
create view v_doc_46k as select data from bench.doc_46k;
create view v_large_10k as select data from bench.large where kib = 10;
create view v_large_100k as select data from bench.large where kib = 100;
create view v_large_1m as select data from bench.large where kib = 1024;
create view v_large_50m as select data from bench.large where kib = 51200;
create view v_active_1m as select data from bench.test_1m where data ->> 'status' = 'active';
create view v_bucket_1m as select bucket, data from bench.test_1m;
create view v_wide as select id, name, status, age, score, active, created_at, data from bench.wide;
commit;

-- Frozen and analyzed now, so that no later read does it on its first visit, and plans do not change.
vacuum (freeze, analyze) bench.test_1m, bench.test_100k, bench.test_10k, bench.test_1k, bench.mid, bench.nested,
  bench.doc_46k, bench.large, bench.wide, bench.columns_1m, bench.lineitem_1m;
