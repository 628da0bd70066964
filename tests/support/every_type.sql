-- Creates every kind of type that a database can have: all available extensions, and the kinds of types that users
-- define.
do $$
declare name text;
begin
  for name in select e.name from pg_available_extensions e order by 1 loop
    begin
      execute format('create extension if not exists %I cascade', name);
    exception when others then
      raise notice 'no %: %', name, sqlerrm;
    end;
  end loop;
end $$;

create type mood as enum ('sad', 'so "so"', 'ha\ppy', 'with space', 'a,b');
create domain whole as int;
create domain exact as numeric(20, 4);
create domain word as text;
create domain document as jsonb;
create domain moment as timestamptz;
create domain feeling as mood;
create domain numbers as int[];
create domain of_a_domain as whole check (value <> 12345);
create type float_range as range (subtype = float8, multirange_type_name = float_multirange);
create type plain as (id int, "the ""name" text);
create type everything as (a bool, b int2, c int8, d float4, e float8, f numeric, g text, h varchar(9), i bpchar(4),
  j date, k time, l timestamp, m timestamptz, n uuid, o bytea, p json, q jsonb, r int[], s text[], t plain, u plain[],
  v mood, w of_a_domain, x whole[], y oid, z timestamptz[]);
create type with_text_only as (a inet, b interval[], c plain[], d everything, e date, f box[], g int2vector);
create domain pair as plain;
create table altered (a int, gone text, b plain, c numbers);
alter table altered drop column gone;
create type without_fields as ();

create type cast_to_json as enum ('one', 'two');
create function to_json_of(cast_to_json) returns json language sql as $$ select '{"is": "cast"}'::json $$;
create cast (cast_to_json as json) with function to_json_of(cast_to_json);
create domain of_a_cast as cast_to_json;
create type with_a_cast as (a int, b cast_to_json);

create function is_accepted(literal text, type regtype) returns boolean language plpgsql as $$
declare shown text;
begin
  execute format('select format(''%%s'', v), row_to_json(s)::text from (select %L::%s) s (v)', literal, type) into shown;
  return shown is not null;
exception when others then
  return false;
end $$;

-- Values of each type, as SQL literals.
create table samples (type oid primary key, literals text[]);
insert into samples select t.oid, (
  select array_agg(quote_nullable(literal) || '::' || t.oid::regtype order by n) from unnest(array[
    '0', '1', '-1', '7', '32767', '-32768', '2147483647', '-2147483648', '9223372036854775807', '-9223372036854775808',
    '1.5', '-0', '0.1', '1e22', '1e-5', '123456.789', '0.00', '100.10', 'NaN', 'Infinity', '-Infinity', '1e40', '1e-40',
    't', 'f', '', 'a', 'x y', 'it''s', '"', '\', 'a"b\c', e'\x01\x1f\x7f', e'\b\f\n\r\t', e'\u00e4\u00f6\u20ac\U0001F600', 'NULL', '  ', '\x00ff',
    'a,b', '{}', '(x)', '/', repeat('long "text" ', 400),
    '2000-01-01', '1999-12-31', '2024-02-29', '0001-12-31 BC', '4713-01-01 BC', '10000-01-01', '5874897-12-31',
    '2024-02-29 12:34:56.789', '1999-12-31 23:59:59.999999', '0044-03-15 00:00:00 BC', '294276-12-31 23:59:59.999999',
    '2024-02-29 12:34:56.789+05:30', 'infinity', '-infinity', '12:34:56.000001', '24:00', '12:34:56+05:30', '12:00-08',
    '1 year 2 mons -3 days 04:05:06.7', '-1 sec',
    '123e4567-e89b-12d3-a456-426614174000', '{"a": [1,  2], "b": null}', 'null', '"x"', '[1.50, {"c": "d\u00e4"}]',
    '<a b="c">d</a>', '$.a[*] ? (@ > 1)', '10.0.0.0/8', '192.168.1.1', '::1/128', '08:00:2b:01:02:03',
    '08:00:2b:01:02:03:04:05', '101', '(1,2)', '(1.5,-2.25),(0,0)', '[(0,0),(6,6)]', '{1,2,3}', '<(1,2),3>',
    '[1,2)', '(,5]', 'empty', '[2000-01-01,2024-02-29)', '["2000-01-01 00:00","2024-02-29 12:00")',
    '{[1,2),[5,7)}', '{[2000-01-01,2024-02-29)}', '{["2000-01-01 00:00","2024-02-29 12:00")}',
    '''a'' ''fat cat'':3A', 'a & !b', '0/16B3748', '10:20:10,14', '(0,1)', '1 2 3', 'pg_class', 'pg_catalog.int4',
    'now()', 'abs(int)', '+(int,int)', '*', 'english', 'simple', 'C', 'public', 'postgres', 'sluice', '=r/sluice',
    'sluice=r/sluice', '$12.50', '-$1,234.56', 'a=>1, "b c"=>NULL, "d\"e"=>"f\\g"', 'Top.Science', 'Top.*', 'a & b', '1..2',
    '~5', '1&2|!3', '978-0-393-04002-9', '0393040029', '9771436452008', '1436-4524', 'M-1234-4567-8', '12345678901X',
    '0012345678905', '979-0-2600-0043-8', '979-0260000438', '1436-452X', 'sad', 'so "so"', 'ha\ppy', 'with space',
    'one', 'two', 'YES', '(6378168,0,0)', '(1,x)', '(,)', '(1,"a ""b\\c")', '(-5,"")'
  ]) with ordinality l (literal, n) where is_accepted(literal, t.oid))
from pg_type t where typtype not in ('p', 'c');

-- Values of composite types: the n-th row has the n-th value of each field, as far as there are any.
create function add_composites() returns void language sql as $$
  insert into samples
  select t.oid, array_agg('row(' || fields || ')::' || t.oid::regtype)
  from pg_type t, generate_series(1, 12) n, lateral (
    select coalesce(string_agg(coalesce(literals[1 + (n * 5 + attnum) % cardinality(literals)], 'null'), ', ' order by attnum), '')
    from pg_attribute left join samples on type = atttypid
    where attrelid = t.typrelid and attnum > 0 and not attisdropped) f (fields)
  where typtype = 'c' group by t.oid
  on conflict (type) do update set literals = excluded.literals
$$;
select add_composites();
-- Values of types that contain composites: arrays, domains, and composites once more.
insert into samples select oid, array['array[' || array_to_string(literals[:3], ', ') || ', null]::' || oid::regtype]
from pg_type join samples on type = typelem where typcategory = 'A' and typtype = 'b' and literals is not null and typname not in ('int2vector', 'oidvector')
on conflict (type) do update set literals = samples.literals || excluded.literals;
insert into samples select oid, (select array_agg(each || '::' || oid::regtype) from unnest(literals) each)
from pg_type join samples on type = typbasetype where oid = 'pair'::regtype
on conflict (type) do update set literals = excluded.literals;
select add_composites();

create function is_accepted_query(query text) returns boolean language plpgsql as $$
begin
  execute format('select row_to_json(s) from (%s) s', query);
  return true;
exception when others then
  return false;
end $$;
