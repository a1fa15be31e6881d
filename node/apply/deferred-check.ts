/** Deferrable constraints are not enforced under session_replication_role = replica: checked here, before the commit. */
import { TributaryError } from '../errors.ts';
import { bind, formOf, params } from './binding.ts';
import { deferrableSql } from './statements.ts';
import type { Work } from './work.ts';

/** @throws TributaryError row_failed naming the constraint, as PostgreSQL would at the commit. */
export async function checkDeferred({ query, unenforced }: Work): Promise<void> {
  for (const [layout, written] of unenforced) {
    const [first] = written;
    if (!first) {
      continue;
    }
    const key = params(layout.key, formOf(layout, first));
    const values = bind(key, written, layout.table);
    for (const constraint of layout.target.deferrable) {
      const { rows } = await query(deferrableSql(layout, key, constraint), values);
      const [row] = rows as { broken: boolean }[];
      if (row?.broken) {
        throw new TributaryError('row_failed', {
          table: layout.table,
          sqlstate: '23505',
          constraint: constraint.name,
        });
      }
    }
  }
}
