/** What is noted of tables that the topology file names no more: nobody makes them equal, and nobody waits for them. */
import type { Query } from './query.ts';
import { noteRoutesLevel } from './reconcile-tables.ts';

interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** With its definition gone, a table that comes back is one that was not known. */
const kinds = [
  'reconcile',
  'reconcile_key',
  'verify',
  'verify_key',
  'blocked',
  'partial',
  'definition',
] as const;

/** Keys that may be the last copy of a row stay, until a person decides. For one transaction. Nothing is told anew where nothing is left behind. */
export async function forgetLeftTables(
  query: Query,
  provider: string,
  /** The replication set. */
  tables: readonly TableName[],
): Promise<void> {
  const left = `provider = $1 and (schema_name, table_name) not in (
    select t.schema_name, t.name from unnest($2::text[], $3::text[]) t (schema_name, name))`;
  const gone = [
    ...kinds.map((kind) => `${kind} as (delete from tributary.${kind} where ${left} returning 1)`),
    `parked as (delete from tributary.parked where ${left} and reason <> 'rewound' returning 1)`,
  ];
  const counts = [...kinds, 'parked'].map((kind) => `(select count(*) from ${kind})`);
  const { rows } = await query(`with ${gone.join(', ')} select ${counts.join(' + ')} > 0 as some`, [
    provider,
    tables.map(({ schema }) => schema),
    tables.map(({ name }) => name),
  ]);
  if ((rows as readonly { some: boolean }[])[0]?.some) {
    await noteRoutesLevel(query, provider);
    await query('select tributary.refresh_origins()');
  }
}
