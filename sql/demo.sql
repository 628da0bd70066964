-- A small shop, as an example of views that build documents.
--
--   app.users     1,000 rows; nothing is random, so that every load gives the same rows
--   app.orders    about 3,000 rows, 0 to 6 for each user
--   v_user        data jsonb: id, name, status, email, created_at, profile {age, city, language, score}, tags []
--   v_order       data jsonb: id, placed_at, state, total, customer {id, name}, lines [{sku, quantity, price}]
--   v_customer    data jsonb: a user with all of its orders inside
--
-- Load it with: psql -v ON_ERROR_STOP=1 -f sql/demo.sql
begin;
set local client_min_messages = warning;
drop schema if exists app cascade; -- also drops the views on it
create schema app;

-- A number from 0 to below - 1 that looks random and depends on nothing but its arguments.
create function app.pick(seed bigint, salt text, below int) returns int
  language sql immutable parallel safe
  as $$ select ('x' || substr(md5(salt || seed), 1, 7))::bit(28)::int % below $$;

create table app.users (
  id         bigint primary key,
  name       text not null,
  status     text not null check (status in ('active', 'invited', 'suspended')),
  email      text,
  created_at timestamptz not null,
  birth_year int not null,
  city       text not null,
  language   text not null,
  tags       text[] not null
);

insert into app.users
select id,
       (array['Ada', E'Bj\u00f6rn', E'Chlo\u00e9', 'Dmitri', 'Eun-ji', 'Fatima', 'Grace', 'Hiro',
              E'In\u00eas', E'Jo\u00e3o']
       )[1 + app.pick(id, 'first', 10)]
         || ' ' ||
       (array['Abe', 'Brown', 'Costa', 'Dubois', 'Eriksen', 'Fischer', E'Garc\u00eda', 'Haddad', 'O''Neill']
       )[1 + app.pick(id, 'last', 9)],
       case when app.pick(id, 'status', 10) < 7 then 'active'
            when app.pick(id, 'status', 10) < 9 then 'invited'
            else 'suspended' end,
       case when app.pick(id, 'mail', 20) > 0 then 'user' || id || '@example.com' end,
       timestamptz '2024-01-01 00:00:00+00' + app.pick(id, 'day', 700) * interval '1 day' + id * interval '1 minute',
       1940 + app.pick(id, 'year', 72),
       (array['Lisbon', 'Osaka', 'Nairobi', 'Lima', 'Oslo', 'Toronto'])[1 + app.pick(id, 'city', 6)],
       (array['pt', 'ja', 'en', 'es', 'no', 'fr'])[1 + app.pick(id, 'language', 6)],
       array(select tag
             from unnest(array['beta', 'newsletter', 'staff', 'trial', 'vip']) with ordinality as known(tag, place)
             where app.pick(id, tag, 4) = 0
             order by place)
from generate_series(1, 1000) as id;

create table app.orders (
  id        bigint primary key,
  user_id   bigint not null references app.users,
  placed_at timestamptz not null,
  state     text not null check (state in ('open', 'paid', 'shipped', 'returned'))
);

create table app.order_lines (
  order_id bigint not null references app.orders,
  place    int not null,
  sku      text not null,
  quantity int not null,
  price    numeric(8, 2) not null,
  primary key (order_id, place)
);

insert into app.orders
select u.id * 10 + n,
       u.id,
       u.created_at + app.pick(u.id * 10 + n, 'placed', 90) * interval '1 day',
       (array['open', 'paid', 'shipped', 'returned'])[1 + app.pick(u.id * 10 + n, 'state', 4)]
from app.users as u, generate_series(1, app.pick(u.id, 'orders', 7)) as n;

insert into app.order_lines
select o.id,
       n,
       'SKU-' || lpad(app.pick(o.id * 10 + n, 'sku', 500)::text, 4, '0'),
       1 + app.pick(o.id * 10 + n, 'quantity', 5),
       (199 + app.pick(o.id * 10 + n, 'price', 9800)) / 100.0
from app.orders as o, generate_series(1, 1 + app.pick(o.id, 'lines', 4)) as n;

create index on app.orders (user_id);
create index on app.users (status);

create view v_user as
select jsonb_build_object(
         'id', id,
         'name', name,
         'status', status,
         'email', email,
         'created_at', created_at,
         'profile', jsonb_build_object(
           'age', 2025 - birth_year,
           'city', city,
           'language', language,
           'score', round(app.pick(id, 'score', 10000) / 100.0, 2)),
         'tags', to_jsonb(tags)) as data
from app.users;

create view v_order as
select jsonb_build_object(
         'id', o.id,
         'placed_at', o.placed_at,
         'state', o.state,
         'total', (select sum(l.quantity * l.price) from app.order_lines as l where l.order_id = o.id),
         'customer', jsonb_build_object('id', u.id, 'name', u.name),
         'lines', (select jsonb_agg(jsonb_build_object('sku', l.sku, 'quantity', l.quantity, 'price', l.price)
                                    order by l.place)
                   from app.order_lines as l
                   where l.order_id = o.id)) as data
from app.orders as o join app.users as u on u.id = o.user_id;

create view v_customer as
select jsonb_build_object(
         'id', u.id,
         'name', u.name,
         'orders', coalesce((select jsonb_agg(jsonb_build_object('id', o.id, 'state', o.state, 'placed_at', o.placed_at)
                                              order by o.placed_at, o.id)
                             from app.orders as o
                             where o.user_id = u.id),
                            '[]'::jsonb)) as data
from app.users as u;

comment on view v_user is 'users as documents';
comment on view v_order is 'orders with their customer and their lines';
comment on view v_customer is 'users with their orders inside';
commit;

analyze app.users, app.orders, app.order_lines;
