-- Tables that are not alike on both sides: what is left alone, what is left out, and what has to be made equal again.

-- Why a stream leaves the table alone. parked: too many of its keys are. drifted: rows of it are impossible here, for a
-- cause (no_table, key_column_missing, type, ...) that names a column and the type it has at the provider.
alter table tributary.blocked
  add column reason text not null default 'parked',
  add column cause text,
  add column column_name text,
  add column type_name text,
  add column sqlstate text,
  add constraint blocked_reason check (reason in ('parked', 'drifted'));

-- Sent columns that do not exist here: rows go in without them, and reconcile fills them in once they do.
create table tributary.partial (
  provider text not null,
  schema_name text not null,
  table_name text not null,
  column_name text not null,
  -- null: a type of the provider's own
  type_name text,
  at timestamptz not null default now(),
  primary key (provider, schema_name, table_name, column_name)
);

-- What the provider's tables were when they were last looked at: columns with their types, and where the rows are stored.
-- ATTACH, DETACH and ALTER COLUMN ... USING change rows and send nothing; only this tells.
create table tributary.definition (
  provider text not null,
  schema_name text not null,
  table_name text not null,
  columns jsonb not null,
  storage text not null,
  primary key (provider, schema_name, table_name)
);

-- Columns that may be filled in rows that are equal in all others, however many they are.
alter table tributary.reconcile add column fills text[] not null default '{}';

-- As before, and false while a table is made equal because its definition changed.
create or replace function tributary.refresh_origins() returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  -- A statement of its own, so that the one below sees what the transaction it may wait for has made true.
  select from tributary.heartbeat h
  where h.node = (select n.name from tributary.node n)
  for no key update;

  with parked as (
    select
      p.provider,
      p.origin,
      count(*) filter (where p.reason <> 'orphan') as parked,
      count(*) filter (where p.reason = 'orphan') as waiting
    from tributary.parked p
    group by p.provider, p.origin
  ), said as (
    select
      r.origin,
      r.via,
      case
        when s.provider is null then 'no_stream'
        else nullif(concat_ws(
          ', ',
          s.incomplete,
          case when exists (select from tributary.blocked b where b.provider = r.via) then 'blocked' end,
          case when exists (
            select from tributary.reconcile t
            where t.provider = r.via and t.state <> 'done' and t.reason in ('column_added', 'definition_changed')
          ) then 'reconcile' end,
          'parked: ' || nullif(k.parked, 0),
          'waiting: ' || nullif(k.waiting, 0)
        ), '')
      end as reason
    from tributary.route r
    left join tributary.stream s on s.provider = r.via
    left join lateral (
      select sum(p.parked) as parked, sum(p.waiting) as waiting
      from parked p
      where p.provider = r.via and (p.origin = r.origin or p.origin is null)
    ) k on true
  )
  update tributary.heartbeat h
  set origins = coalesce(
    (
      select jsonb_object_agg(
        said.origin,
        jsonb_build_object('via', said.via, 'complete', said.reason is null, 'reason', said.reason)
      )
      from said
    ),
    '{}'
  )
  where h.node = (select n.name from tributary.node n)
$$;
