/**
 * Deferrable constraints are not enforced under session_replication_role = replica: checked here, before the commit. A
 * key that breaks one is parked, and the part applied again without it.
 */
import { keyText, type NewParked, type ParkCause } from '../parking/parked-key.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { bind, formOf, params } from './binding.ts';
import { parkedOf } from './key-texts.ts';
import type { Layout } from './layout.ts';
import { deferrableOfAllSql, deferrableSql } from './statements.ts';
import type { DeferrableConstraint } from './target.ts';
import type { Work } from './work.ts';

/** The keys whose rows break a constraint PostgreSQL would refuse at the commit; empty: none does. */
export async function brokenKeys(work: Work): Promise<readonly NewParked[]> {
  // A row that was written twice is found twice.
  const broken = new Map<string, NewParked>();
  const noted = [...work.unenforced].sort(([a], [b]) => (a.table < b.table ? -1 : 1));
  for (const [layout, written] of noted) {
    if (written.length > 0) {
      // Two streams at this point at once would not see each other's rows: the later one waits for the commit before.
      const lock = `select pg_advisory_xact_lock(hashtextextended($1, 0))`;
      await work.query(lock, [`tributary ${layout.table}`]);
      for (const constraint of layout.target.deferrable) {
        const found =
          written === 'all'
            ? await ofAll(layout, constraint, work)
            : await ofWritten(layout, constraint, { written, work });
        found.forEach((key) => broken.set(keyText(key), key));
      }
    }
  }
  return [...broken.values()];
}

/** Keys whose rows can not stay as they are now. Thrown through the attempt they are found in: it is made again without them. */
export class Broken extends Error {
  readonly keys: readonly NewParked[];

  constructor(keys: readonly NewParked[]) {
    super('rows can not stay as they are');
    this.name = 'Broken';
    this.keys = keys;
  }

  /** None: the attempt was made without all of them already, and another would come to the same. */
  besides(without: readonly NewParked[]): readonly NewParked[] {
    const out = new Set(without.map(keyText));
    return this.keys.filter((key) => !out.has(keyText(key)));
  }
}

async function ofAll(
  layout: Layout,
  constraint: DeferrableConstraint,
  work: Work,
): Promise<readonly NewParked[]> {
  const { schema, name } = layout.target;
  const { rows } = await work.query(deferrableOfAllSql(layout, constraint), [work.origins]);
  return (rows as { key: string[] }[]).map(({ key }) => ({
    table: { schema, name },
    key,
    origin: layout.origin.kind === 'stamped' ? layout.origin.name : null,
    waitsFor: null,
    ...causeOf(constraint),
  }));
}

async function ofWritten(
  layout: Layout,
  constraint: DeferrableConstraint,
  { written, work }: { readonly written: readonly Tuple[]; readonly work: Work },
): Promise<readonly NewParked[]> {
  const [first] = written;
  if (!first) {
    return [];
  }
  const key = params(layout.key, formOf(layout, first));
  const values = bind(key, written, layout.table);
  const { rows } = await work.query(deferrableSql(layout, key, constraint), values);
  const refused = (rows as { n: number }[]).flatMap(({ n }) => {
    const tuple = written[n - 1];
    return tuple ? [{ layout, tuple, cause: causeOf(constraint), waitsFor: null }] : [];
  });
  return await parkedOf(refused, work.query);
}

function causeOf({ name }: DeferrableConstraint): ParkCause {
  return {
    reason: 'row_failed',
    sqlstate: '23505',
    column: null,
    constraint: name,
    type: null,
  };
}
