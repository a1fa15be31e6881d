/** What the pieces of one local transaction share. */
import type { StreamScope } from '../config/model.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { removal } from './admission.ts';
import type { Layout } from './layout.ts';
import type { Offences } from './offences.ts';
import type { PartParking, Refused, Taking } from './part-parking.ts';
import type { Copy, Query } from './session.ts';
import type { Tally } from './tally.ts';

export interface Work {
  readonly query: Query;
  readonly copy: Copy;
  /** A statement without parameters, such as savepoint. */
  readonly command: (text: string) => Promise<void>;
  readonly scope: StreamScope;
  /** The names of the subtree as a binary text array. */
  readonly origins: Buffer;
  /** The same without those that are awaited: whose rows may be removed. */
  readonly removable: Buffer;
  readonly layoutOf: (relation: Relation) => Layout | null;
  readonly isDrifted: (relation: Relation) => boolean;
  readonly tally: Tally;
  /** Time spent on making statements from changes; shared by all attempts. */
  readonly spent: { prepareMs: number };
  /** Written rows of tables with constraints that are not enforced under replica role; all: too many to remember. */
  readonly unenforced: Map<Layout, Tuple[] | 'all'>;
  /** New rows come in the order of their keys. */
  readonly ordered: boolean;
  /** What the part leaves out; shared by all attempts. */
  readonly parking: PartParking;
  /** The changes this attempt takes: all that are not left out, or those of some keys. */
  readonly taking: Taking;
  readonly refuse: (refused: Refused) => void;
  /** Constraints that rows of late have broken; shared by all parts. */
  readonly offences: Offences;
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
 * left. Null: some are of an origin nobody knows.
 */
export function leaveForeign(
  work: Work,
  layout: Layout,
  rows: readonly { readonly origin: string | null; readonly count: number }[],
): number | null {
  let left = 0;
  for (const { origin, count } of rows) {
    if (removal(work.scope, origin) !== 'rerouted') {
      return null;
    }
    work.tally.conflict('rerouted', layout.table, count);
    left += count;
  }
  return left;
}

/** An attempt that went in counts. */
export function merge(into: Work, from: Work): void {
  into.tally.add(from.tally);
  for (const [layout, tuples] of from.unenforced) {
    const noted = into.unenforced.get(layout) ?? [];
    const all = noted === 'all' || tuples === 'all';
    into.unenforced.set(layout, all ? 'all' : [...noted, ...tuples]);
  }
}
