/**
 * Keys whose rows stand only here, or differ here, since a child went back in time: rows of tributary.parked whose reason
 * is `rewound`. Nothing touches them until a person gives them back to the child or takes the child's version.
 */
import type { KeyOfTable, TableName } from './parked-key.ts';
import type { ParkQuery } from './parked-table.ts';
import type { ParkedView } from './parked-view.ts';

export interface RewoundKey extends KeyOfTable {
  /** The child has no row of the key; false: it has another one. */
  readonly onlyHere: boolean;
}

export interface NewRewound extends RewoundKey {
  /** Of the row that stands here: the key goes with it when it comes to go by way of another child. */
  readonly origin: string;
}

export interface ListedKey extends RewoundKey {
  readonly provider: string;
  readonly at: Date;
}

/** They are known to the stream from now on. A key that was parked for another reason is rewound first of all. */
export async function listRewound(
  query: ParkQuery,
  view: ParkedView,
  keys: readonly NewRewound[],
): Promise<void> {
  if (keys.length === 0) {
    return;
  }
  await query(
    `insert into tributary.parked as p (provider, schema_name, table_name, key, origin, reason, only_here, retry_at)
     select $1, n.schema, n.name, n.key::jsonb, n.origin, 'rewound', n.only_here, $7
     from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[]) as n (schema, name, key, origin, only_here)
     on conflict (provider, schema_name, table_name, key) do update set
       origin = excluded.origin, reason = excluded.reason, only_here = excluded.only_here, retry_at = excluded.retry_at, sqlstate = null,
       waits_for = null, last_at = now()`,
    [
      view.provider,
      keys.map(({ table }) => table.schema),
      keys.map(({ table }) => table.name),
      keys.map(({ key }) => JSON.stringify(key)),
      keys.map(({ origin }) => origin),
      keys.map(({ onlyHere }) => onlyHere),
      never,
    ],
  );
  view.add(
    keys.map(({ table: { schema, name }, key, origin }) => ({
      table: { schema, name },
      key,
      origin,
      reason: 'rewound',
      sqlstate: null,
      column: null,
      constraint: null,
      type: null,
      waitsFor: null,
    })),
  );
}

/** No retry comes to it by itself. */
const never = '9999-12-31';

export interface Chosen {
  readonly provider: string;
  /** Null: of every table. */
  readonly table: TableName | null;
  /** Null: every key. */
  readonly key: readonly string[] | null;
}

const chosen = `p.provider = $1 and p.reason = 'rewound' and ($2::text is null or p.schema_name = $2 and p.table_name = $3)
  and ($4::jsonb is null or p.key = $4::jsonb)`;

function valuesOf({ provider, table, key }: Chosen): readonly unknown[] {
  return [
    provider,
    table?.schema ?? null,
    table?.name ?? null,
    key === null ? null : JSON.stringify(key),
  ];
}

/** In the order of tables and keys, at most so many. */
export async function rewoundKeys(
  query: ParkQuery,
  choice: Chosen,
  most: number,
): Promise<readonly ListedKey[]> {
  const { rows } = await query(
    `select p.provider, p.schema_name, p.table_name, p.key, p.only_here, p.first_at from tributary.parked p
     where ${chosen} order by p.schema_name, p.table_name, p.key limit ${most}`,
    valuesOf(choice),
  );
  return (rows as RewoundRow[]).map((row) => ({
    provider: row.provider,
    table: { schema: row.schema_name, name: row.table_name },
    key: row.key,
    onlyHere: row.only_here ?? false,
    at: row.first_at,
  }));
}

interface RewoundRow {
  readonly provider: string;
  readonly schema_name: string;
  readonly table_name: string;
  readonly key: readonly string[];
  readonly only_here: boolean | null;
  readonly first_at: Date;
}

/** From now on they are keys to be read again, and become what they are at the child. */
export async function freeRewound(
  query: ParkQuery,
  choice: Chosen,
): Promise<readonly KeyOfTable[]> {
  const { rows } = await query(
    `update tributary.parked p set reason = 'update_missing', only_here = null, retry_at = now(), last_at = now()
     where ${chosen} returning p.schema_name as schema, p.table_name as name, p.key`,
    valuesOf(choice),
  );
  return (rows as (TableName & { key: readonly string[] })[]).map(({ schema, name, key }) => ({
    table: { schema, name },
    key,
  }));
}
