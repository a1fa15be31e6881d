/** What the pieces of one local transaction share. */
import type { StreamScope } from '../config/model.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { TributaryError } from '../errors.ts';
import { admission } from './admission.ts';
import type { Layout } from './layout.ts';
import type { Query } from './session.ts';
import type { Tally } from './tally.ts';

export interface Work {
  readonly query: Query;
  readonly scope: StreamScope;
  /** The names of the subtree as a binary text array. */
  readonly origins: Buffer;
  readonly layoutOf: (relation: Relation) => Layout | null;
  readonly tally: Tally;
  /** Time spent on making statements from changes; shared by all attempts. */
  readonly spent: { prepareMs: number };
  /** Written rows of tables with constraints that are not enforced under replica role; all: too many to remember. */
  readonly unenforced: Map<Layout, Tuple[] | 'all'>;
}

/** Notes rows whose constraints must be checked before the commit. */
export function noteUnenforced(work: Work, layout: Layout, tuples: readonly Tuple[]): void {
  if (layout.target.deferrable.length === 0) {
    return;
  }
  const noted = work.unenforced.get(layout);
  if (noted === undefined) {
    work.unenforced.set(layout, [...tuples]);
  } else if (noted !== 'all') {
    noted.push(...tuples);
  }
}

/**
 * The stream removes rows that stand here under an origin which is not of its subtree: rerouted ones are counted and
 * left. @throws TributaryError origin_violation
 */
export function leaveForeign(
  work: Work,
  layout: Layout,
  rows: readonly { readonly origin: string | null; readonly count: number }[],
): number {
  let left = 0;
  for (const { origin, count } of rows) {
    if (admission(work.scope, origin) !== 'rerouted') {
      throw violation(work, layout);
    }
    work.tally.conflict('rerouted', layout.table, count);
    left += count;
  }
  return left;
}

export function violation(work: Work, layout: Layout): TributaryError {
  return new TributaryError('origin_violation', {
    table: layout.table,
    provider: work.scope.provider,
  });
}
