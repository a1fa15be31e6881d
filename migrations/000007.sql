-- Verification: the last comparison of each table of each stream with the provider's, and what differed in it.

create table tributary.verify (
  provider text not null,
  schema_name text not null,
  table_name text not null,
  -- time-ordered; one for all tables that were asked for together
  run uuid not null,
  -- wanted, running, failed, done
  state text not null default 'wanted',
  -- the key through which this run has compared, as texts; null: nothing yet
  through jsonb,
  -- of this run: rows of the provider compared, bytes received
  walked bigint not null default 0,
  bytes bigint not null default 0,
  -- of this run: keys that differ
  found bigint not null default 0,
  -- code of the failure of the last attempt
  failure text,
  wanted_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  -- everything the provider had committed by then was compared by a run that reached the end; null: never
  verified_through timestamptz,
  -- keys that run found to differ
  differing bigint,
  primary key (provider, schema_name, table_name),
  check (state in ('wanted', 'running', 'failed', 'done'))
);

-- Of those keys the first 100,000 of each table.
create table tributary.verify_key (
  provider text not null,
  schema_name text not null,
  table_name text not null,
  -- the values of the key's columns as texts, in their order
  key jsonb not null,
  -- missing: only at the provider. different: on both sides. extra: only here
  kind text not null,
  primary key (provider, schema_name, table_name, key),
  check (kind in ('missing', 'different', 'extra'))
);
