/**
 * The rows of tributary.parked. Every function runs one statement inside the transaction of its caller, so that keys are
 * parked and freed together with the rows they are about.
 */
import { backoff, firstRetryMs } from './backoff.ts';
import type {
  KeyOfTable,
  NewParked,
  Parked,
  ParkCause,
  ParkReason,
  TableName,
} from './parked-key.ts';

export type ParkQuery = (
  text: string,
  values?: readonly unknown[],
) => Promise<{ readonly rows: readonly unknown[] }>;

/**
 * Notes keys; one that is noted already gets the new reason and keeps its first time. As everywhere here, one that is rewound
 * stays as it is.
 */
export async function park(
  query: ParkQuery,
  provider: string,
  keys: readonly NewParked[],
): Promise<void> {
  await query(
    `insert into tributary.parked as p (
       provider, schema_name, table_name, key, origin, reason, sqlstate, column_name, constraint_name, type_name,
       waits_for, retry_at
     )
     select $1, n.schema, n.name, n.key::jsonb, n.origin, n.reason, n.sqlstate, n."column", n."constraint", n.type,
       n.waits_for, now() + n.wait_ms * interval '1 millisecond'
     from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
       $10::text[], $11::int8[], $12::float8[])
       as n(schema, name, key, origin, reason, sqlstate, "column", "constraint", type, waits_for, wait_ms)
     on conflict (provider, schema_name, table_name, key) do update set
       origin = coalesce(excluded.origin, p.origin), reason = excluded.reason, sqlstate = excluded.sqlstate,
       column_name = excluded.column_name, constraint_name = excluded.constraint_name,
       type_name = excluded.type_name, waits_for = excluded.waits_for, last_at = now(), retry_at = excluded.retry_at
     where p.reason <> 'rewound'`,
    [
      provider,
      ...keyColumns(keys),
      keys.map(({ origin }) => origin),
      ...causeColumns(keys),
      keys.map(({ waitsFor }) => waitsFor?.toString() ?? null),
      keys.map(({ reason }) => firstRetryMs(reason)),
    ],
  );
}

/** The keys are level, or were given up: nothing is known of them any more. Returns how many were parked. */
export async function unpark(
  query: ParkQuery,
  provider: string,
  keys: readonly KeyOfTable[],
): Promise<number> {
  const { rows } = await query(
    `delete from tributary.parked p
     using unnest($2::text[], $3::text[], $4::text[]) as n(schema, name, key)
     where p.provider = $1 and p.schema_name = n.schema and p.table_name = n.name and p.key = n.key::jsonb
       and p.reason <> 'rewound'
     returning 1`,
    [provider, ...keyColumns(keys)],
  );
  return rows.length;
}

/** A retry that failed: why, and when the next one is due. */
export async function noteAttempt(
  query: ParkQuery,
  provider: string,
  tried: readonly NewParked[],
): Promise<void> {
  await query(
    `update tributary.parked p
     set reason = n.reason, sqlstate = n.sqlstate, column_name = n."column", constraint_name = n."constraint",
       type_name = n.type, waits_for = n.waits_for, attempts = p.attempts + 1, last_at = now(),
       retry_at = now() + least($11 * power(2, least(p.attempts, 30)), $12) * n.jitter * interval '1 millisecond'
     from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
       $10::int8[], $13::float8[])
       as n(schema, name, key, reason, sqlstate, "column", "constraint", type, waits_for, jitter)
     where p.provider = $1 and p.schema_name = n.schema and p.table_name = n.name and p.key = n.key::jsonb
       and p.reason <> 'rewound'`,
    [
      provider,
      ...keyColumns(tried),
      ...causeColumns(tried),
      tried.map(({ waitsFor }) => waitsFor?.toString() ?? null),
      backoff.firstMs,
      backoff.longestMs,
      tried.map(() => 0.75 + Math.random() / 2),
    ],
  );
}

/** Keys whose next try is due, the longest due first; none of these tables (`schema.name`), that can not be tried now. */
export async function dueKeys(
  query: ParkQuery,
  provider: string,
  { most, without }: { readonly most: number; readonly without: readonly string[] },
): Promise<readonly Parked[]> {
  const { rows } = await query(
    `select ${parkedList} from tributary.parked p
     where p.provider = $1 and p.retry_at <= now() and p.reason <> 'rewound' and p.schema_name || '.' || p.table_name <> all ($3::text[])
     order by p.retry_at limit $2`,
    [provider, most, without],
  );
  return (rows as ParkedRow[]).map(parkedOf);
}

/** Milliseconds until the next key is due, 0 if one is; null: nothing is parked. */
export async function nextDueMs(query: ParkQuery, provider: string): Promise<number | null> {
  const { rows } = await query(
    `select greatest(0, extract(epoch from min(p.retry_at) - now()) * 1000)::float8 as ms from tributary.parked p where p.provider = $1 and p.reason <> 'rewound'`,
    [provider],
  );
  return (rows as { ms: number | null }[])[0]?.ms ?? null;
}

/** Every key of a stream, or of all; the newest last. */
export async function listParked(
  query: ParkQuery,
  { provider, most }: { readonly provider: string | null; readonly most: number },
): Promise<readonly Parked[]> {
  const { rows } = await query(
    `select ${parkedList} from tributary.parked p where $1::text is null or p.provider = $1
     order by p.provider, p.first_at, p.schema_name, p.table_name, p.key limit $2`,
    [provider, most],
  );
  return (rows as ParkedRow[]).map(parkedOf);
}

/** Keys due now: all of a stream's, or one table's. Returns how many. */
export async function makeDue(
  query: ParkQuery,
  provider: string,
  table: TableName | null = null,
): Promise<number> {
  const { rows } = await query(
    `with due as (
       update tributary.parked p set retry_at = now()
       where p.provider = $1 and p.reason <> 'rewound' and ($2::text is null or p.schema_name = $2 and p.table_name = $3)
       returning 1
     ) select count(*)::int as count from due`,
    [provider, table?.schema ?? null, table?.name ?? null],
  );
  return (rows as { count: number }[])[0]?.count ?? 0;
}

export interface ParkedCount {
  readonly provider: string;
  readonly table: string;
  readonly reason: ParkReason;
  readonly count: number;
}

/** How many keys are parked, by stream, table and reason. */
export async function countParked(query: ParkQuery): Promise<readonly ParkedCount[]> {
  const { rows } = await query(
    `select p.provider, p.schema_name || '.' || p.table_name as "table", p.reason, count(*)::int as count
     from tributary.parked p group by 1, 2, 3 order by 1, 2, 3`,
  );
  return rows as ParkedCount[];
}

const parkedList = `p.provider, p.schema_name, p.table_name, p.key, p.origin, p.reason, p.sqlstate, p.column_name,
  p.constraint_name, p.type_name, p.waits_for::text as waits_for, p.attempts, p.first_at, p.last_at, p.retry_at`;

interface ParkedRow {
  readonly provider: string;
  readonly schema_name: string;
  readonly table_name: string;
  readonly key: readonly string[];
  readonly origin: string | null;
  readonly reason: ParkReason;
  readonly sqlstate: string | null;
  readonly column_name: string | null;
  readonly constraint_name: string | null;
  readonly type_name: string | null;
  readonly waits_for: string | null;
  readonly attempts: number;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly retry_at: Date;
}

function parkedOf(row: ParkedRow): Parked {
  return {
    provider: row.provider,
    table: { schema: row.schema_name, name: row.table_name },
    key: row.key,
    origin: row.origin,
    reason: row.reason,
    sqlstate: row.sqlstate,
    column: row.column_name,
    constraint: row.constraint_name,
    type: row.type_name,
    waitsFor: row.waits_for === null ? null : BigInt(row.waits_for),
    attempts: row.attempts,
    firstAt: row.first_at,
    lastAt: row.last_at,
    retryAt: row.retry_at,
  };
}

function keyColumns(keys: readonly KeyOfTable[]): readonly (readonly string[])[] {
  return [
    keys.map(({ table }) => table.schema),
    keys.map(({ table }) => table.name),
    keys.map(({ key }) => JSON.stringify(key)),
  ];
}

function causeColumns(causes: readonly ParkCause[]): readonly (readonly (string | null)[])[] {
  return [
    causes.map(({ reason }) => reason),
    causes.map(({ sqlstate }) => sqlstate),
    causes.map(({ column }) => column),
    causes.map(({ constraint }) => constraint),
    causes.map(({ type }) => type),
  ];
}
