-- Doubts about a child that were met by a new slot: how often, and when last.

create table tributary.doubt (
  provider text not null,
  name text not null,
  count bigint not null default 1,
  at timestamptz not null default now(),
  primary key (provider, name)
);

-- Keys that a child which went back in time may not change are parked as `rewound`. The program holds the list of reasons.
alter table tributary.parked drop constraint if exists parked_reason_check;
alter table tributary.parked add constraint parked_reason_check check (reason ~ '^[a-z_]+$');

-- Of a rewound key: whether the child has no row of it at all. Null for every other.
alter table tributary.parked add column only_here boolean;

-- Nonce of the heartbeat that stood here when the stream began anew at a child that went back in time: such a child need
-- not know it. Null: none.
alter table tributary.stream add column unwitnessed uuid;

-- Whether this node is level with its own children, as a parent asks that made its slot at `since`: this node has written
-- a heartbeat after it, streams from every child, and lacks nothing of them. Nothing below a leaf is to be level with.
create function tributary.level_since(since pg_lsn) returns boolean
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
$$;

revoke all on function tributary.level_since(pg_lsn) from public;

-- An origin that has come to go by way of this child, until the child's heartbeat says that it has all of it: before that
-- the child is not judged by it.
alter table tributary.route add column awaited boolean not null default false;
