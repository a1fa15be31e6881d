/** Everything that stands here of one origin, removed in one transaction: its rows, what is parked of it, its stream. */
import pg from 'pg';
import type { ReplicatedTable } from '../config/model.ts';
import { writeAudit, type Deed } from './audit.ts';
import { clientConfig } from './connect.ts';
import { ident, qualified } from './ident.ts';
import { originTables } from './origin-rows.ts';
import type { Query } from './query.ts';
import { queryOf, tributaryDatabase } from './tables.ts';

export interface ForgetOptions {
  /** This node's own database, as the writing role. */
  readonly url: string;
  readonly applicationName: string;
  /** The replication set, heartbeat and audit included. */
  readonly tables: readonly ReplicatedTable[];
  readonly origin: string;
  readonly by: Pick<Deed, 'node' | 'actor'>;
  /** Whether it may be done still, asked in the transaction itself. */
  readonly check: (query: Query) => Promise<void>;
}

/** What a stream leaves behind besides its rows, by the column that names its provider. */
const streamTables = [
  'stream',
  'reconcile',
  'reconcile_key',
  'verify',
  'verify_key',
  'parked',
  'blocked',
  'partial',
  'definition',
  'doubt',
];

/** `streamed`: a stream of it had begun here. @throws what `check` throws; the database's error */
export async function forgetOrigin(
  options: ForgetOptions,
): Promise<{ readonly removed: number; readonly streamed: boolean }> {
  const pool = new pg.Pool({
    ...clientConfig({
      ...options,
      // As apply: a guard refuses changes of rows that were entered elsewhere to everybody else.
      settings: { session_replication_role: 'replica', lock_timeout: 5000, statement_timeout: 0 },
    }),
    max: 1,
  });
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  try {
    return await tributaryDatabase(pool)
      .transaction()
      .execute(async (transaction) => {
        const query = queryOf(transaction);
        await options.check(query);
        return await remove(query, options, async (detail) => {
          const { by, origin } = options;
          await writeAudit(transaction, { ...by, action: 'forget', subject: origin, detail });
        });
      });
  } finally {
    await pool.end();
  }
}

async function remove(
  query: Query,
  { tables, origin }: ForgetOptions,
  audit: (detail: Readonly<Record<string, number>>) => Promise<void>,
): Promise<{ readonly removed: number; readonly streamed: boolean }> {
  const found = await query(`select from tributary.stream s where s.provider = $1`, [origin]);
  const detail: Record<string, number> = {};
  for (const table of await originTables(query, tables)) {
    const { rows } = await query(
      `with gone as (delete from ${qualified(table)} t where t.${ident(table.column)}::text = $1 returning 1)
       select count(*)::float8 as count from gone`,
      [origin],
    );
    const count = (rows as readonly { readonly count: number }[])[0]?.count ?? 0;
    if (count > 0) {
      detail[`${table.schema}.${table.name}`] = count;
    }
  }
  for (const name of streamTables) {
    await query(`delete from ${qualified({ schema: 'tributary', name })} where provider = $1`, [
      origin,
    ]);
  }
  await query(`delete from tributary.parked where origin = $1`, [origin]);
  await audit(detail);
  await query('select tributary.refresh_origins()');
  const removed = Object.values(detail).reduce((sum, count) => sum + count, 0);
  return { removed, streamed: found.rows.length > 0 };
}
