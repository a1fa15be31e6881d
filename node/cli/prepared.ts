/** Whether this node's database is what `prepare` of this version leaves; `run` itself never changes a schema. */
import type pg from 'pg';
import { schemaState } from '../database/migrate.ts';
import { TributaryError } from '../errors.ts';

/** @throws TributaryError not_prepared | schema_newer | node_name_differs. */
export async function assertPrepared(pool: pg.Pool, node: string): Promise<void> {
  const state = await schemaState(pool);
  if (state === 'missing' || state === 'older') {
    throw new TributaryError('not_prepared', { node, schema: state });
  }
  if (state === 'breaking_newer') {
    throw new TributaryError('schema_newer', { node });
  }
  const { rows } = await pool.query<{ name: string }>('select name from tributary.node');
  const name = rows[0]?.name;
  if (name === undefined) {
    throw new TributaryError('not_prepared', { node, missing: 'its name' });
  }
  if (name !== node) {
    throw new TributaryError('node_name_differs', { node, found: name });
  }
}
