-- Changes of the tree: an origin that comes to go by way of another child.

-- Where the origin's newest heartbeat here stood in its log, and its time, when it came to go by way of this child: what
-- this child brings of it counts for the whole of it only beyond that. Null: none had come.
alter table tributary.route
  add column heard pg_lsn,
  add column heard_at timestamptz;

-- Whether its rows here have been compared with the child's since it goes by way of it.
alter table tributary.route add column level boolean not null default true;

-- Origins of that child that are awaited no longer: every hop below this node says that it has all of them, and a newer
-- heartbeat than those of before came by this way, with all that the origin had committed before it.
create function tributary.arrived_origins(child text) returns setof text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive hop as (
    select r.origin, r.via as node, h.origins -> r.origin as says, 1 as depth
    from tributary.route r
    left join tributary.heartbeat h on h.node = r.via
    where r.via = child and r.awaited
    union all
    select p.origin, p.says ->> 'via', h.origins -> p.origin, p.depth + 1
    from hop p
    left join tributary.heartbeat h on h.node = p.says ->> 'via'
    where p.says ->> 'via' is not null
      and p.says ->> 'via' <> p.origin
      and p.depth < 32
  )
  select r.origin
  from tributary.route r
  join tributary.heartbeat h on h.node = r.origin
  where r.via = child
    and r.awaited
    and (r.heard is null or h.lsn > r.heard or h.at > r.heard_at)
    and (
      select bool_and(coalesce((hop.says ->> 'complete')::boolean, false))
      from hop
      where hop.origin = r.origin
    )
$$;

-- As before, and false for an origin whose rows have not been compared since it goes by way of another child, and wherever a
-- table is still to be made equal: one that was left alone lacks what it missed, also when it is left alone no more. Not for
-- keys that a person has seen ('mend'): those of a copy that was said to be complete.
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
          case when not r.level then 'moved' end,
          case when exists (select from tributary.blocked b where b.provider = r.via) then 'blocked' end,
          case when exists (
            select from tributary.reconcile t
            where t.provider = r.via and t.state <> 'done' and t.reason not in ('mend', 'moved')
          ) and s.incomplete is null then 'reconcile' end,
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

-- As before, and without rows of the origins that the reader leaves out: those that, by the file in force there, come to it
-- by another way. It says so by two settings of its session, the names as a JSON array; it can only see less by them.
create or replace function tributary.published(schema_name text, table_name text, columns text[])
returns tributary.published_table
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  found tributary.published_table;
  names text[];
  without text := nullif(current_setting('tributary.without_origins', true), '');
  naming text := current_setting('tributary.origin_column', true);
begin
  select c.oid::regclass, t.attnames, coalesce(t.rowfilter, 'true')
  into found.relation, names, found.filter
  from pg_publication_tables t
  join pg_namespace n on n.nspname = t.schemaname
  join pg_class c on c.relnamespace = n.oid and c.relname = t.tablename
  where t.pubname = 'tributary_up' and t.schemaname = schema_name and t.tablename = table_name;
  if found.relation is null then
    raise exception using errcode = 'undefined_table', message = 'the table is not published', schema = schema_name, table = table_name;
  end if;
  if not columns <@ names then
    raise exception using errcode = 'undefined_column', message = 'a column is not published', schema = schema_name, table = table_name;
  end if;
  if without is not null and naming = any (names) then
    found.filter := format(
      '(%s) and (t.%I::text = any (%L::text[])) is not true', found.filter, naming, tributary.texts(without::jsonb)
    );
  end if;
  found.columns := columns;
  return found;
end
$$;

-- As before, and not before every origin that came over to one of its children has been compared.
create or replace function tributary.level_since(since pg_lsn) returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    not exists (select from tributary.route)
    or exists (
      select
      from tributary.heartbeat h
      join tributary.node n on n.name = h.node
      where h.lsn > since
        and not exists (
          select from jsonb_each(h.state -> 'streams') s (child, standing)
          where s.standing ->> 'state' <> 'streaming'
        )
    )
    and not exists (select from tributary.stream s where s.incomplete is not null)
    and not exists (select from tributary.route r where not r.level)
$$;
