/** Deferrable constraints are not enforced under session_replication_role = replica: checked here, before the commit. */
import { TributaryError } from '../errors.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { bind, formOf, params } from './binding.ts';
import type { Layout } from './layout.ts';
import { deferrableOfAllSql, deferrableSql } from './statements.ts';
import type { DeferrableConstraint } from './target.ts';
import type { Work } from './work.ts';

/** @throws TributaryError row_failed naming the constraint, as PostgreSQL would at the commit. */
export async function checkDeferred(work: Work): Promise<void> {
  const noted = [...work.unenforced].sort(([a], [b]) => (a.table < b.table ? -1 : 1));
  for (const [layout, written] of noted) {
    if (written.length > 0) {
      // Two streams at this point at once would not see each other's rows: the later one waits for the commit before.
      const lock = `select pg_advisory_xact_lock(hashtextextended($1, 0))`;
      await work.query(lock, [`tributary ${layout.table}`]);
      for (const constraint of layout.target.deferrable) {
        await check(layout, constraint, { written, work });
      }
    }
  }
}

async function check(
  layout: Layout,
  constraint: DeferrableConstraint,
  { written, work }: { readonly written: readonly Tuple[] | 'all'; readonly work: Work },
): Promise<void> {
  const { rows } =
    written === 'all'
      ? await work.query(deferrableOfAllSql(layout, constraint), [work.origins])
      : await checkWritten(layout, constraint, { written, work });
  const [row] = rows as { broken: boolean }[];
  if (row?.broken) {
    throw new TributaryError('row_failed', {
      table: layout.table,
      sqlstate: '23505',
      constraint: constraint.name,
    });
  }
}

async function checkWritten(
  layout: Layout,
  constraint: DeferrableConstraint,
  { written, work }: { readonly written: readonly Tuple[]; readonly work: Work },
): Promise<{ readonly rows: readonly unknown[] }> {
  const [first] = written;
  if (!first) {
    return { rows: [] };
  }
  const key = params(layout.key, formOf(layout, first));
  return await work.query(deferrableSql(layout, key, constraint), bind(key, written, layout.table));
}
