-- The node's own schema. Forward only; never edited once released.

create schema tributary;

comment on schema tributary is 'Tributary: position of each stream, heartbeats, audit. See ARCHITECTURE.md.';

create table tributary.migration (
  number integer primary key,
  applied timestamptz not null default now(),
  breaking boolean not null
);

-- Who this database is. One row; the name is part of the identity proof.
create table tributary.node (
  one boolean primary key default true check (one),
  name text not null,
  created timestamptz not null default now(),
  -- renewed whenever the publication is created, so that a publication dropped and made again is recognised
  publication_nonce uuid
);

-- What prepare made or changed in this database: `wanted` is what was asked for, `found` how PostgreSQL tells it back
-- (a difference later means that somebody else changed it), `undo` the statement that takes it away.
create table tributary.prepared (
  kind text not null,
  object text not null,
  wanted text not null,
  found text,
  undo text,
  at timestamptz not null default now(),
  primary key (kind, object)
);

-- One row per stream into this database: how far it is applied, and which provider that position belongs to.
create table tributary.stream (
  provider text primary key,
  -- raised by every process that takes the stream over: the fence in the position update
  epoch bigint not null default 0,
  slot text not null,
  position pg_lsn not null,
  -- end of the last commit applied: below the position where a keepalive moved it on; null: none yet
  last_commit pg_lsn,
  system_identifier text not null,
  timeline integer not null,
  publication_oid bigint not null,
  publication_nonce uuid not null,
  -- why this copy may lack rows, such as 'first_copy'; null: it lacks nothing
  incomplete text,
  paused boolean not null default false,
  created timestamptz not null default now(),
  updated timestamptz not null default now()
);

-- Which child each origin below this node comes by, from the topology file in force. Written at start and reload.
create table tributary.route (
  origin text primary key,
  via text not null
);

-- One row per node of the subtree, this node included. Published: travels upstream like data, in commit order.
create table tributary.heartbeat (
  node text primary key,
  at timestamptz not null,
  lsn pg_lsn not null,
  nonce uuid not null,
  version text not null,
  topology text not null,
  -- disk, log, limits, streams and their states
  state jsonb not null default '{}',
  -- per origin below that node: {"via": child, "complete": bool, "reason": text}
  origins jsonb not null default '{}'
);

-- This node's own heartbeats, for the witness a subscriber asks for. Not published.
create table tributary.heartbeat_log (
  nonce uuid primary key,
  lsn pg_lsn not null,
  at timestamptz not null
);

create index heartbeat_log_lsn on tributary.heartbeat_log (lsn);

-- Who did what. Published.
create table tributary.audit (
  id uuid primary key,
  node text not null,
  at timestamptz not null default now(),
  actor text not null,
  action text not null,
  subject text not null,
  detail jsonb not null default '{}'
);

-- Refuses a local change of a row that was entered elsewhere. Ordinary, so that apply, which works as replica, passes.
-- Arguments: this node's name, the origin column.
create function tributary.refuse_foreign_row() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  origin text := to_jsonb(old) ->> tg_argv[1];
begin
  if origin = tg_argv[0] then
    raise exception using
      errcode = 'restrict_violation',
      message = format('the row of %s was entered at %s: its %s can not be changed', tg_relid::regclass, origin, tg_argv[1]),
      schema = tg_table_schema,
      table = tg_table_name;
  end if;
  raise exception using
    errcode = 'restrict_violation',
    message = format('the row of %s was entered at %s and can be changed only there', tg_relid::regclass, origin),
    hint = format('Change it at node %s; the change arrives at %s by itself.', origin, tg_argv[0]),
    schema = tg_table_schema,
    table = tg_table_name;
end
$$;

-- Refuses TRUNCATE while rows of other nodes stand in the table. As its owner: who may truncate may not always read.
create function tributary.refuse_foreign_truncate() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  origin text;
begin
  execute format('select t.%1$I::text from %2$s t where t.%1$I <> $1 limit 1', tg_argv[1], tg_relid::regclass)
  into origin
  using tg_argv[0];
  if origin is not null then
    raise exception using
      errcode = 'restrict_violation',
      message = format('%s holds rows that were entered at %s and can be removed only there', tg_relid::regclass, origin),
      hint = format('Delete the rows of this node by "delete from %s where %I = %L".', tg_relid::regclass, tg_argv[1], tg_argv[0]),
      schema = tg_table_schema,
      table = tg_table_name;
  end if;
  return null;
end
$$;

revoke all on function tributary.refuse_foreign_truncate() from public;

-- Which tables already hold rows that leave for the parent: the parent asks once, under the snapshot of its new slot.
-- It may read no table itself, and no view stands between, for PostgreSQL refuses to change a column that a view reads.
-- PostgreSQL lets a row filter use built-in immutable functions and operators only, no type, function or operator of a
-- user, and under this search_path the filter means here what it means to the walsender: no foreign code runs by it.
-- Planning may run functions of the table's own indexes: prepared by a superuser, the function is given to their owner.
-- A table that can not be judged (a row the filter fails on, row level security forced on its owner) counts as filled.
create function tributary.tables_with_rows() returns setof text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  published record;
  filled boolean;
begin
  for published in
    select t.schemaname, t.tablename, coalesce(t.rowfilter, 'true') as filter
    from pg_publication_tables t
    where t.pubname = 'tributary_up' and t.schemaname <> 'tributary'
    order by t.schemaname, t.tablename
  loop
    begin
      execute format('select exists (select from %I.%I where %s)', published.schemaname, published.tablename, published.filter)
      into filled;
    exception when data_exception or insufficient_privilege then
      filled := true;
    end;
    if filled then
      return next published.schemaname || '.' || published.tablename;
    end if;
  end loop;
end
$$;

revoke all on function tributary.tables_with_rows() from public;

-- Makes `origins` of this node's own heartbeat say what is true now. Called in the same transaction as the change
-- of state, so that the news travels in commit order, before any later heartbeat of an origin it concerns.
create function tributary.refresh_origins() returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  -- A statement of its own, so that the one below sees what the transaction it may wait for has made true.
  select from tributary.heartbeat h
  where h.node = (select n.name from tributary.node n)
  for no key update;

  update tributary.heartbeat h
  set origins = coalesce(
    (
      select jsonb_object_agg(
        r.origin,
        jsonb_build_object(
          'via', r.via,
          'complete', s.provider is not null and s.incomplete is null,
          'reason', case when s.provider is null then 'no_stream' else s.incomplete end
        )
      )
      from tributary.route r
      left join tributary.stream s on s.provider = r.via
    ),
    '{}'
  )
  where h.node = (select n.name from tributary.node n)
$$;

-- Per origin: how old the newest heartbeat applied here is, and whether every hop on the way says it is complete.
-- An origin whose heartbeat never came has age null: unknown, not zero.
create view tributary.freshness as
with recursive hop as (
  select
    r.origin,
    n.name as node,
    h.origins -> r.origin as says,
    1 as depth
  from tributary.route r
  cross join tributary.node n
  left join tributary.heartbeat h on h.node = n.name
  union all
  select
    p.origin,
    p.says ->> 'via',
    h.origins -> p.origin,
    p.depth + 1
  from hop p
  left join tributary.heartbeat h on h.node = p.says ->> 'via'
  where p.says ->> 'via' is not null
    and p.says ->> 'via' <> p.origin
    and p.depth < 32
)
select
  r.origin,
  b.at as through,
  clock_timestamp() - b.at as age,
  b.at is not null and coalesce(c.complete, false) as complete,
  c.reason,
  r.via
from tributary.route r
left join tributary.heartbeat b on b.node = r.origin
left join (
  select
    hop.origin,
    bool_and(coalesce((hop.says ->> 'complete')::boolean, false)) as complete,
    string_agg(
      hop.node || ': ' || coalesce(hop.says ->> 'reason', 'unknown'),
      ', '
    ) filter (where not coalesce((hop.says ->> 'complete')::boolean, false)) as reason
  from hop
  group by hop.origin
) c on c.origin = r.origin;
