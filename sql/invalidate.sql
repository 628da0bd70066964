-- Invalidates the results of sluice's caches when tables change: see docs/cache.md. Run it once per database, as the
-- owner of the tables or a superuser; running it again is harmless. Then, once per table:
--
--   select sluice_cache.watch('app.users', 'app.orders');    -- and sluice_cache.unwatch(...) to undo it
--
-- Each statement that writes to such a table sends a NOTIFY for the table, for the tables that it is a partition or
-- child of, and for every view over any of those, when its transaction commits. The payload is the tag that
-- sluice::from gives to results, once with the schema and once without. Views are looked up at that time, so that one
-- created later counts, too.
--
-- Not noticed: REFRESH MATERIALIZED VIEW, what a function reads that a view calls, changes applied by logical
-- replication, and tables of other servers.
begin;
create schema if not exists sluice_cache;
grant usage on schema sluice_cache to public;

-- A name as sluice::from writes it in tags.
create or replace function sluice_cache.tag_part(name text) returns text
language sql immutable strict parallel safe
set search_path = pg_catalog
as $$ select case when $1 ~ '^[a-z_][a-z0-9_]*$' then $1 else '"' || replace($1, '"', '""') || '"' end $$;

-- The table itself, what it is a part of, and all views over these.
create or replace function sluice_cache.readers_of(relation regclass) returns setof regclass
language sql stable strict
set search_path = pg_catalog
as $$
  with recursive reader(id) as (
    select $1::oid
    union
    select next.id
    from reader cross join lateral (
      select i.inhparent as id from pg_inherits i where i.inhrelid = reader.id
      union all
      select r.ev_class
      from pg_depend d join pg_rewrite r on r.oid = d.objid
      where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = reader.id
    ) next
  )
  select id::regclass from reader
$$;

-- The payloads for a change of a table.
create or replace function sluice_cache.tags_of(relation regclass) returns setof text
language sql stable strict
set search_path = pg_catalog
as $$
  select distinct tag
  from sluice_cache.readers_of($1) reader(id)
    join pg_class c on c.oid = reader.id
    join pg_namespace n on n.oid = c.relnamespace
    cross join lateral (values (sluice_cache.tag_part(c.relname)),
                               (sluice_cache.tag_part(n.nspname) || '.' || sluice_cache.tag_part(c.relname))) as t(tag)
$$;

-- Runs as its owner, so that writers need no rights in this schema.
create or replace function sluice_cache.notify_readers() returns trigger
language plpgsql security definer
set search_path = pg_catalog
as $$
begin
  perform pg_notify(tg_argv[0], tag) from sluice_cache.tags_of(tg_relid) tag;
  return null;
end
$$;
revoke execute on function sluice_cache.notify_readers() from public;

-- Tables with their partitions and children.
create or replace function sluice_cache.writable_parts(relation regclass) returns setof regclass
language sql stable strict
set search_path = pg_catalog
as $$
  with recursive part(id) as (
    select $1::oid
    union
    select i.inhrelid from pg_inherits i join part on i.inhparent = part.id
  )
  select id::regclass from part join pg_class c on c.oid = id where c.relkind in ('r', 'p')
$$;

create or replace function sluice_cache.unwatch(variadic relations regclass[]) returns void
language plpgsql strict
set search_path = pg_catalog
as $$
declare
  part regclass;
begin
  for part in select p from unnest(relations) r, sluice_cache.writable_parts(r) p loop
    execute format('drop trigger if exists sluice_change on %s', part);
    execute format('drop trigger if exists sluice_truncate on %s', part);
  end loop;
end
$$;

-- Statement-level triggers on tables. A view stands for the tables below it. Call it again after adding a partition.
create or replace function sluice_cache.watch_on(channel text, variadic relations regclass[]) returns void
language plpgsql strict
set search_path = pg_catalog
as $$
declare
  part regclass;
begin
  for part in
    with recursive source(id) as (
      select r::oid from unnest(relations) r
      union
      select d.refobjid
      from source join pg_rewrite w on w.ev_class = source.id
        join pg_depend d on d.objid = w.oid
      where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype = 'n'
    )
    select distinct p from source, sluice_cache.writable_parts(source.id::regclass) p
  loop
    execute format('drop trigger if exists sluice_change on %s', part);
    execute format('drop trigger if exists sluice_truncate on %s', part);
    execute format('create trigger sluice_change after insert or update or delete on %s '
                   'for each statement execute function sluice_cache.notify_readers(%L)', part, channel);
    execute format('create trigger sluice_truncate after truncate on %s '
                   'for each statement execute function sluice_cache.notify_readers(%L)', part, channel);
    execute format('alter table %s enable always trigger sluice_change', part);
    execute format('alter table %s enable always trigger sluice_truncate', part);
  end loop;
end
$$;

create or replace function sluice_cache.watch(variadic relations regclass[]) returns void
language sql strict
as $$ select sluice_cache.watch_on('sluice_invalidate', variadic $1) $$;
commit;
