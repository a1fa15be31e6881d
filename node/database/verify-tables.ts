/**
 * The rows of tributary.verify: which tables of a stream are to be compared, how far that is, and what it found; and of
 * tributary.verify_key, the keys that differed in the last run.
 */
import type { Query } from './query.ts';

export const verifyStates = ['wanted', 'running', 'failed', 'done'] as const;
export type VerifyState = (typeof verifyStates)[number];

export const differenceKinds = ['missing', 'different', 'extra'] as const;
/** missing: only at the provider. different: on both sides. extra: only here. */
export type DifferenceKind = (typeof differenceKinds)[number];

/** Of one table; more are only counted. */
export const keysKept = 100_000;

export interface Difference {
  readonly key: readonly string[];
  readonly kind: DifferenceKind;
}

export interface VerifyRow {
  readonly provider: string;
  readonly schema: string;
  readonly name: string;
  /** Of all tables that were asked for together. */
  readonly run: string;
  readonly state: VerifyState;
  /** The key through which this run has compared; null: nothing yet. */
  readonly through: readonly string[] | null;
  readonly walked: number;
  readonly bytes: number;
  /** Keys that differ, so far. */
  readonly found: number;
  readonly failure: string | null;
  /** Since this run began, or that it took, seconds; null: it has not begun. */
  readonly seconds: number | null;
  /** Everything the provider had committed by then was compared; null: never yet. */
  readonly verifiedThrough: Date | null;
  /** Keys that run found to differ; null: never yet. */
  readonly differing: number | null;
}

/** A table of a stream. */
export interface VerifiedTable {
  readonly provider: string;
  readonly schema: string;
  readonly name: string;
}

/** Of one stream, or of all; the ones under way first. */
export async function loadVerify(
  query: Query,
  provider: string | null,
): Promise<readonly VerifyRow[]> {
  const { rows } = await query(
    `select
       v.provider,
       v.schema_name as schema,
       v.table_name as name,
       v.run::text as run,
       v.state,
       v.through,
       v.walked::float8 as walked,
       v.bytes::float8 as bytes,
       v.found::float8 as found,
       v.failure,
       extract(epoch from coalesce(v.finished_at, now()) - v.started_at)::float8 as seconds,
       v.verified_through as "verifiedThrough",
       v.differing::float8 as differing
     from tributary.verify v
     where $1::text is null or v.provider = $1
     order by v.state = 'done', v.provider, v.schema_name, v.table_name`,
    [provider],
  );
  return rows as VerifyRow[];
}

/** The tables are compared from their beginning, as one run. What the last run found stays until this one begins. */
export async function wantVerify(
  query: Query,
  provider: string,
  {
    tables,
    run,
  }: { readonly tables: readonly Omit<VerifiedTable, 'provider'>[]; readonly run: string },
): Promise<void> {
  await query(
    `insert into tributary.verify (provider, schema_name, table_name, run)
     select $1, t.schema_name, t.name, $4 from unnest($2::text[], $3::text[]) t (schema_name, name)
     on conflict (provider, schema_name, table_name) do update set
       run = excluded.run, state = 'wanted', through = null, failure = null,
       wanted_at = now(), started_at = null, finished_at = null`,
    [provider, tables.map(({ schema }) => schema), tables.map(({ name }) => name), run],
  );
}

/** What an earlier run found is forgotten where this one begins. */
export async function startVerify(query: Query, at: VerifyRow): Promise<void> {
  await query(
    `with started as (
       update tributary.verify set
         state = 'running',
         failure = null,
         walked = case when through is null then 0 else walked end,
         bytes = case when through is null then 0 else bytes end,
         found = case when through is null then 0 else found end,
         started_at = case when through is null then now() else started_at end
       where provider = $1 and schema_name = $2 and table_name = $3 and run = $4
       returning through
     )
     delete from tributary.verify_key k
     using started
     where started.through is null and k.provider = $1 and k.schema_name = $2 and k.table_name = $3`,
    [at.provider, at.schema, at.name, at.run],
  );
}

/**
 * What was compared since the last call, and what differed in it, in one statement; with the last of it the run is done, or
 * a process that dies in between would have it counted again. Keys beyond `keysKept` are only counted. How many keys
 * differ in all; 0 before the end.
 */
export async function advanceVerify(
  query: Query,
  at: VerifyRow,
  by: {
    /** Null: up to the end of the table. */
    readonly through: readonly string[] | null;
    readonly walked: number;
    readonly bytes: number;
    readonly found: readonly Difference[];
  },
): Promise<number> {
  const { rows } = await query(
    `with advanced as (
       update tributary.verify set
         through = $5::jsonb, walked = walked + $6, bytes = bytes + $7,
         found = found + jsonb_array_length($8::jsonb),
         state = case when $5::jsonb is null then 'done' else state end,
         finished_at = case when $5::jsonb is null then now() end,
         verified_through = case when $5::jsonb is null then started_at else verified_through end,
         differing = case when $5::jsonb is null then found + jsonb_array_length($8::jsonb) else differing end
       where provider = $1 and schema_name = $2 and table_name = $3 and run = $4 and state = 'running'
       returning provider, found, state
     ),
     kept as (
       insert into tributary.verify_key (provider, schema_name, table_name, key, kind)
       select advanced.provider, $2, $3, f.value -> 'key', f.value ->> 'kind'
       from advanced, jsonb_array_elements($8::jsonb) with ordinality f (value, number)
       where advanced.found - jsonb_array_length($8::jsonb) + f.number <= ${keysKept}
       on conflict (provider, schema_name, table_name, key) do update set kind = excluded.kind
     )
     select advanced.found::float8 as differing from advanced where advanced.state = 'done'`,
    [
      at.provider,
      at.schema,
      at.name,
      at.run,
      by.through === null ? null : JSON.stringify(by.through),
      by.walked,
      by.bytes,
      JSON.stringify(by.found),
    ],
  );
  return (rows as { differing: number }[])[0]?.differing ?? 0;
}

export async function stopVerify(query: Query, at: VerifyRow, failure: string): Promise<void> {
  await query(
    `update tributary.verify set state = 'failed', failure = $5
     where provider = $1 and schema_name = $2 and table_name = $3 and run = $4`,
    [at.provider, at.schema, at.name, at.run, failure],
  );
}

/** Keys that differed in the last run of a table, in their order. */
export async function differencesOf(
  query: Query,
  at: VerifiedTable,
  most: number,
): Promise<readonly Difference[]> {
  const { rows } = await query(
    `select k.key, k.kind
     from tributary.verify_key k
     where k.provider = $1 and k.schema_name = $2 and k.table_name = $3
     order by k.key
     limit $4`,
    [at.provider, at.schema, at.name, most],
  );
  return rows as Difference[];
}

/**
 * What a run found is to be made equal: rows that are missing here are added, the others overwritten or removed, as the
 * plan said. Of a table with more keys than are kept the whole is walked, and as many allowed. Tables that are being made
 * equal anyway, and those compared anew since, by whomever, are left out. What is noted of one that waits for a person stays:
 * rows that moved meanwhile. Several statements, for one transaction. How many keys.
 */
export async function wantMended(query: Query, provider: string, run: string): Promise<number> {
  const { rows } = await query(
    `insert into tributary.reconcile (provider, schema_name, table_name, reason, allowed)
     select v.provider, v.schema_name, v.table_name, case when v.found <= ${keysKept} then 'mend' else 'mend_whole' end, v.found
     from tributary.verify v
     where v.provider = $1 and v.run = $2 and v.state = 'done' and v.found > 0
       and not exists (
         select from tributary.reconcile r
         where r.provider = v.provider and r.schema_name = v.schema_name and r.table_name = v.table_name
           and r.state = 'held' and r.started_at > v.started_at
       )
     on conflict (provider, schema_name, table_name) do update set
       state = 'wanted',
       reason = case when reconcile.state = 'held' and reconcile.reason <> 'mend' and excluded.reason = 'mend' then 'mend_held' else excluded.reason end,
       allowed = excluded.allowed, through = null, estimated = null,
       walked = 0, sent = 0, repaired = 0, bytes = 0, failure = null, wanted_at = now(), started_at = null,
       finished_at = null
     where reconcile.state in ('done', 'held')
     returning schema_name, table_name, allowed::float8 as keys`,
    [provider, run],
  );
  const wanted = rows as { schema_name: string; table_name: string; keys: number }[];
  for (const { schema_name, table_name } of wanted) {
    const at = [provider, schema_name, table_name];
    await query(
      `insert into tributary.reconcile_key (provider, schema_name, table_name, key)
       select k.provider, k.schema_name, k.table_name, k.key
       from tributary.verify_key k
       where k.provider = $1 and k.schema_name = $2 and k.table_name = $3
       on conflict do nothing`,
      at,
    );
    await query(
      `update tributary.reconcile r set allowed = greatest(r.allowed, (
         select count(*) from tributary.reconcile_key k
         where k.provider = $1 and k.schema_name = $2 and k.table_name = $3
       ))
       where r.provider = $1 and r.schema_name = $2 and r.table_name = $3`,
      at,
    );
  }
  return wanted.reduce((sum, { keys }) => sum + keys, 0);
}
