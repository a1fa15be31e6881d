-- Parking: keys whose change could not be stored here, and tables with too many of them.

-- Of a row only its key is kept, and of PostgreSQL's error only SQLSTATE and the names of objects.
create table tributary.parked (
  provider text not null,
  schema_name text not null,
  table_name text not null,
  -- the values of the key's columns as texts, in their order
  key jsonb not null,
  -- null: not known, as for a delete
  origin text,
  reason text not null,
  sqlstate text,
  column_name text,
  constraint_name text,
  type_name text,
  -- of an orphan: a hash of the row it refers to, by which that row's arrival is recognised
  waits_for bigint,
  -- retries that failed
  attempts integer not null default 0,
  first_at timestamptz not null default now(),
  last_at timestamptz not null default now(),
  retry_at timestamptz not null,
  primary key (provider, schema_name, table_name, key),
  check (reason in ('row_failed', 'value_missing', 'update_missing', 'origin_violation', 'orphan'))
);

create index parked_retry on tributary.parked (provider, retry_at);
create index parked_waits_for on tributary.parked (waits_for) where waits_for is not null;

-- Tables a stream leaves alone because too many of its keys were parked: they come back by reconcile.
create table tributary.blocked (
  provider text not null,
  schema_name text not null,
  table_name text not null,
  at timestamptz not null default now(),
  primary key (provider, schema_name, table_name)
);

-- Counts the rows a statement has come to. Never rolled back, so it tells which row a failed statement failed at; each
-- session takes a block of numbers for itself, so it counts alone and writes almost no log.
create sequence tributary.row_at cache 1000000 cycle;

-- As before, and false for an origin with keys parked or waiting here, or with a blocked table on its way. A key whose
-- origin is not known counts for every origin that comes by its stream.
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
