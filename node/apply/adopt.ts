/**
 * `adopt: true`: rows that stand here under this node's own name, though they were entered at a child, are handed over to
 * it when it sends them for the first time.
 */
import type { Tuple } from '../pgoutput/tuple.ts';
import { bind, formOf, params } from './binding.ts';
import type { Layout } from './layout.ts';
import { adoptSql } from './statements.ts';
import type { Work } from './work.ts';

/** How many. Inside the transaction that is open, before the rows are written. @throws the database's error. */
export async function adopt(layout: Layout, tuples: readonly Tuple[], work: Work): Promise<number> {
  const { scope, query } = work;
  const [first] = tuples;
  if (!first || scope.adopts === null) {
    return 0;
  }
  const form = formOf(layout, first);
  const key = params(layout.key, form);
  const { origin } = layout;
  const [sent = null] = origin.kind === 'sent' ? params([origin], form) : [];
  const columns = sent ? [...key, sent] : key;
  const values: unknown[] = [...bind(columns, tuples, layout.table)];
  if (origin.kind === 'stamped') {
    values.push(origin.name);
  }
  const { rowCount } = await query(adoptSql(layout, key, sent), [...values, scope.adopts]);
  // crash point: rows-adopted
  return rowCount ?? 0;
}
