/**
 * The rows of tributary.reconcile: which tables of a stream are to be made equal, and how far they are; and of
 * tributary.reconcile_key, the keys whose rows would be overwritten or removed. What belongs to rows that are written
 * is written by the `query` of their transaction.
 */
import type { Query } from './query.ts';

export type ReconcileState = 'wanted' | 'running' | 'held' | 'failed' | 'done';

export interface ReconcileRow {
  readonly provider: string;
  readonly schema: string;
  readonly name: string;
  readonly state: ReconcileState;
  readonly reason: string;
  /** The key through which the table is walked; null: nothing yet. */
  readonly through: readonly string[] | null;
  readonly estimated: number | null;
  readonly walked: number;
  readonly sent: number;
  readonly repaired: number;
  readonly bytes: number;
  /** Rows a person allowed to be overwritten or removed. */
  readonly allowed: number | null;
  readonly failure: string | null;
  /** Columns that may be filled in rows that are equal in all others, however many. */
  readonly fills: readonly string[];
  readonly wantedAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

interface Place {
  readonly provider: string;
  readonly schema: string;
  readonly name: string;
}

/** What was done since the last call, to be added: nothing, where the table was meanwhile wanted anew. */
export interface Advance {
  readonly through: readonly string[] | null;
  readonly walked: number;
  readonly sent: number;
  readonly repaired: number;
  readonly bytes: number;
}

interface RawRow {
  readonly provider: string;
  readonly schema_name: string;
  readonly table_name: string;
  readonly state: ReconcileState;
  readonly reason: string;
  readonly through: readonly string[] | null;
  readonly estimated: string | null;
  readonly walked: string;
  readonly sent: string;
  readonly repaired: string;
  readonly bytes: string;
  readonly allowed: string | null;
  readonly failure: string | null;
  readonly fills: readonly string[];
  readonly wanted_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
}

/** Of one stream, or of all. */
export async function loadReconcile(
  query: Query,
  provider: string | null,
): Promise<readonly ReconcileRow[]> {
  const { rows } = await query(
    `select ${columns}
     from tributary.reconcile
     where $1::text is null or provider = $1
     order by provider, schema_name, table_name`,
    [provider],
  );
  return (rows as readonly RawRow[]).map(reconcileRow);
}

const columns = `provider, schema_name, table_name, state, reason, through, estimated::text, walked::text, sent::text,
       repaired::text, bytes::text, allowed::text, failure, fills, wanted_at, started_at, finished_at`;

function reconcileRow(row: RawRow): ReconcileRow {
  return {
    provider: row.provider,
    schema: row.schema_name,
    name: row.table_name,
    state: row.state,
    reason: row.reason,
    through: row.through,
    estimated: row.estimated === null ? null : Number(row.estimated),
    walked: Number(row.walked),
    sent: Number(row.sent),
    repaired: Number(row.repaired),
    bytes: Number(row.bytes),
    allowed: row.allowed === null ? null : Number(row.allowed),
    failure: row.failure,
    fills: row.fills,
    wantedAt: row.wanted_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}

/** Tables that were never walked are wanted; the others stay as they are. */
export async function wantNew(
  query: Query,
  provider: string,
  {
    tables,
    reason,
  }: { readonly tables: readonly Omit<Place, 'provider'>[]; readonly reason: string },
): Promise<void> {
  await query(
    `insert into tributary.reconcile (provider, schema_name, table_name, reason)
     select $1, t.schema_name, t.name, $4 from unnest($2::text[], $3::text[]) t (schema_name, name)
     on conflict do nothing`,
    [provider, tables.map(({ schema }) => schema), tables.map(({ name }) => name), reason],
  );
}

/** What is to be walked is the row as it is begun: since it was looked for, a part may have wanted the table anew. Null: it is gone. */
export async function startTable(
  query: Query,
  at: Place,
  estimated: number,
): Promise<ReconcileRow | null> {
  const { rows } = await query(
    `update tributary.reconcile set
       state = 'running', estimated = $4, failure = null, started_at = coalesce(started_at, now()), finished_at = null
     where provider = $1 and schema_name = $2 and table_name = $3
     returning ${columns}`,
    [at.provider, at.schema, at.name, estimated],
  );
  const [row] = rows as readonly RawRow[];
  return row ? reconcileRow(row) : null;
}

export interface BegunTable {
  readonly schema: string;
  readonly name: string;
  /** It is walked through, and waits for a person. */
  readonly held: boolean;
}

/** Tables of which a comparison or a copy has begun and not ended; not those of which a person has seen the keys. */
export async function begunTables(query: Query, provider: string): Promise<readonly BegunTable[]> {
  const { rows } = await query(
    `select r.schema_name as schema, r.table_name as name, r.state = 'held' as held from tributary.reconcile r
     where r.provider = $1 and r.started_at is not null and r.state <> 'done' and r.reason not in ('mend', 'mend_held')`,
    [provider],
  );
  return rows as readonly BegunTable[];
}

export async function advanceTable(query: Query, at: Place, by: Advance): Promise<void> {
  await query(
    `update tributary.reconcile set
       through = $4::jsonb, walked = walked + $5, sent = sent + $6, repaired = repaired + $7, bytes = bytes + $8
     where provider = $1 and schema_name = $2 and table_name = $3 and state = 'running'`,
    [
      at.provider,
      at.schema,
      at.name,
      by.through === null ? null : JSON.stringify(by.through),
      by.walked,
      by.sent,
      by.repaired,
      by.bytes,
    ],
  );
}

/** The walk ended without reaching equality. One that waits for a person was not meanwhile wanted anew. */
export async function stopTable(
  query: Query,
  at: Place,
  { state, failure }: { readonly state: 'held' | 'failed'; readonly failure: string | null },
): Promise<void> {
  await query(
    `update tributary.reconcile set state = $4, failure = $5
     where provider = $1 and schema_name = $2 and table_name = $3 and ($4 = 'failed' or state = 'running')`,
    [at.provider, at.schema, at.name, state, failure],
  );
}

/** The table is equal, unless it was meanwhile wanted anew; with the last one of a stream, what comes by it is complete, as far as this node can say. */
export async function finishTable(query: Query, at: Place): Promise<void> {
  await query(
    `update tributary.reconcile set
       state = 'done', through = null, allowed = null, failure = null, fills = '{}', finished_at = now()
     where provider = $1 and schema_name = $2 and table_name = $3 and state = 'running'`,
    [at.provider, at.schema, at.name],
  );
  await query(
    `update tributary.verify v set differing = 0
     from tributary.reconcile r
     where v.provider = $1 and v.schema_name = $2 and v.table_name = $3 and v.state = 'done' and v.differing > 0
       and r.provider = v.provider and r.schema_name = v.schema_name and r.table_name = v.table_name and r.state = 'done'`,
    [at.provider, at.schema, at.name],
  );
  // crash point: table-done
  // A row that had stood here under an origin of this stream may have been in the way of another's.
  await query(
    `update tributary.parked set retry_at = now()
     where provider <> $1 and schema_name = $2 and table_name = $3 and reason = 'origin_violation'`,
    [at.provider, at.schema, at.name],
  );
  await noteComplete(query, at.provider);
}

/** With no table of the stream left to be made equal, what comes by it is complete, as far as this node can say. */
export async function noteComplete(query: Query, provider: string): Promise<void> {
  await query(
    `update tributary.stream s set incomplete = null
     where s.provider = $1 and s.incomplete is not null
       and not exists (select from tributary.reconcile r where r.provider = $1 and r.state <> 'done')`,
    [provider],
  );
  await noteRoutesLevel(query, provider);
  await query('select tributary.refresh_origins()');
}

/** Tables that are compared for an origin that came over are wanted with the end of its wait, all at once. */
export async function noteRoutesLevel(query: Query, provider: string): Promise<void> {
  await query(
    `update tributary.route o set level = true
     where o.via = $1 and not o.level and not o.awaited
       and not exists (select from tributary.reconcile r where r.provider = $1 and r.state <> 'done')`,
    [provider],
  );
}

/** Reasons that ask for less than the whole table, or concern less than all its origins. */
const narrow = `'mend', 'mend_held', 'moved'`;

/**
 * The stream left the table alone: where it was walked already, changes were left out too, and what a person allowed was
 * about less. It is walked from its beginning.
 */
export async function wantBlocked(query: Query, at: Place): Promise<void> {
  await query(
    `insert into tributary.reconcile as r (provider, schema_name, table_name, reason) values ($1, $2, $3, 'blocked')
     on conflict (provider, schema_name, table_name) do update set
       state = 'wanted',
       reason = case when r.state in ('done', 'held') or r.reason in (${narrow}) then 'blocked' else r.reason end,
       through = null, estimated = null, walked = 0, sent = 0, repaired = 0, bytes = 0, allowed = null,
       wanted_at = now(), started_at = null, finished_at = null
     where r.state in ('done', 'held') or r.through is not null or r.reason in (${narrow})`,
    [at.provider, at.schema, at.name],
  );
}

/** A table is to be walked from its beginning, once more if it was; what it may fill is added to what it may already. */
export async function wantAgain(
  query: Query,
  at: Place,
  { reason, fills }: { readonly reason: string; readonly fills: readonly string[] },
): Promise<void> {
  await query(
    `insert into tributary.reconcile as r (provider, schema_name, table_name, reason, fills) values ($1, $2, $3, $4, $5)
     on conflict (provider, schema_name, table_name) do update set
       state = 'wanted',
       reason = case when r.state in ('done', 'held') or r.reason in (${narrow}) then excluded.reason else r.reason end,
       fills = array(select distinct f from unnest(r.fills || excluded.fills) f), through = null, estimated = null,
       walked = 0, sent = 0, repaired = 0, bytes = 0, allowed = null, failure = null, wanted_at = now(), started_at = null,
       finished_at = null`,
    [at.provider, at.schema, at.name, reason, fills],
  );
  await query('select tributary.refresh_origins()');
}

/** A table of the stream that was not one before is to be walked, unless it is to be anyway. */
export async function wantFound(query: Query, at: Place): Promise<void> {
  await query(
    `insert into tributary.reconcile (provider, schema_name, table_name, reason) values ($1, $2, $3, 'table_added')
     on conflict (provider, schema_name, table_name) do nothing`,
    [at.provider, at.schema, at.name],
  );
  await query('select tributary.refresh_origins()');
}

/** Every table of the stream is to be walked from its beginning. */
export const wantAllSql = `
  update tributary.reconcile set
    state = 'wanted', reason = $2, through = null, estimated = null, walked = 0, sent = 0, repaired = 0, bytes = 0,
    failure = null, wanted_at = now(), started_at = null, finished_at = null
  where provider = $1`;

/** Keys whose rows here differ from the provider's, or are not there, or may be so. */
export async function noteKeys(
  query: Query,
  at: Place,
  keys: readonly (readonly string[])[],
): Promise<void> {
  await query(
    `insert into tributary.reconcile_key (provider, schema_name, table_name, key)
     select distinct $1, $2, $3, k.value from jsonb_array_elements($4::jsonb) k
     on conflict (provider, schema_name, table_name, key) do update set key = excluded.key`,
    [at.provider, at.schema, at.name, JSON.stringify(keys)],
  );
}

export async function countKeys(query: Query, at: Place): Promise<number> {
  const { rows } = await query(
    `select count(*)::int as count from tributary.reconcile_key
     where provider = $1 and schema_name = $2 and table_name = $3`,
    [at.provider, at.schema, at.name],
  );
  return (rows as readonly { readonly count: number }[])[0]?.count ?? 0;
}

/** Those of the keys that are noted. */
export async function notedOf(
  query: Query,
  at: Place,
  keys: readonly (readonly string[])[],
): Promise<readonly (readonly string[])[]> {
  const { rows } = await query(
    `select key from tributary.reconcile_key
     where provider = $1 and schema_name = $2 and table_name = $3
       and key in (select k.value from jsonb_array_elements($4::jsonb) k)`,
    [at.provider, at.schema, at.name, JSON.stringify(keys)],
  );
  return (rows as readonly { readonly key: readonly string[] }[]).map(({ key }) => key);
}

/** A key as it was noted the last time. */
export interface NotedKey {
  readonly key: readonly string[];
  /** Another after the key was noted again. */
  readonly version: string;
}

export async function someKeys(
  query: Query,
  at: Place,
  most: number,
): Promise<readonly NotedKey[]> {
  const { rows } = await query(
    `select key, xmin::text as version from tributary.reconcile_key
     where provider = $1 and schema_name = $2 and table_name = $3
     order by key
     limit $4`,
    [at.provider, at.schema, at.name, most],
  );
  return rows as readonly NotedKey[];
}

/** Those that were not noted again since. */
export async function forgetKeys(
  query: Query,
  at: Place,
  keys: readonly NotedKey[] | 'all',
): Promise<void> {
  await query(
    `delete from tributary.reconcile_key n
     where provider = $1 and schema_name = $2 and table_name = $3
       and ($4::jsonb is null or (key, n.xmin::text) in (
         select k.value -> 'key', k.value ->> 'version' from jsonb_array_elements($4::jsonb) k))`,
    [at.provider, at.schema, at.name, keys === 'all' ? null : JSON.stringify(keys)],
  );
}
