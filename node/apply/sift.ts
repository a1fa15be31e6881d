/**
 * A slice of which some row can not be stored, or not as a set: the last state of every key, table by table, in sets
 * again, each row that fails set aside. What PostgreSQL has come to in a set that failed tells the row at once, so a bad
 * row costs a few round trips, however many good ones surround it.
 */
import type { Transaction } from '../pgoutput/part.ts';
import { formOf } from './binding.ts';
import { failsByItself } from './failure.ts';
import { collapse, type Collapsed } from './collapse.ts';
import type { Refused } from './part-parking.ts';
import { segments, type TableChanges } from './segment.ts';
import { truncateSql } from './statements.ts';
import { Steps } from './step-run.ts';
import { TableSift } from './table-sift.ts';
import { Tally } from './tally.ts';
import { merge, type Work } from './work.ts';

export interface SiftOptions {
  /** Only what one change after the other could not store: nothing is left to the order of the changes. */
  readonly last: boolean;
}

/**
 * Applies the transactions inside the transaction that is open, and refuses the keys that can not be stored.
 * `ordered`: undo it, only one change after the other can tell.
 * @throws the database's error; TributaryError drifted | text_needed
 */
export async function sift(
  transactions: readonly Transaction[],
  work: Work,
  options: SiftOptions,
): Promise<'applied' | 'ordered'> {
  const refused: Refused[] = [];
  const own: Work = {
    ...work,
    tally: new Tally(),
    unenforced: new Map(),
    refuse: (one) => refused.push(one),
  };
  for (const segment of segments(transactions, own)) {
    if (segment.kind === 'truncate') {
      for (const layout of segment.layouts) {
        await own.query(truncateSql(layout), [own.removable]);
      }
      continue;
    }
    for (const table of segment.tables) {
      if (!(await siftTable(table, own, options))) {
        // What fails by itself fails in any order.
        refused.filter(({ cause }) => failsByItself(cause)).forEach((one) => work.refuse(one));
        return 'ordered';
      }
    }
  }
  refused.forEach((one) => work.refuse(one));
  merge(work, own);
  return 'applied';
}

/** False: the order of the changes matters. */
async function siftTable(
  { layout, changes }: TableChanges,
  work: Work,
  { last }: SiftOptions,
): Promise<boolean> {
  if (layout.target.stepwise && !last) {
    await new Steps(work).guarded(layout, changes);
    return true;
  }
  const collapsed = collapse(changes, layout.keyIndexes);
  if (collapsed.ambiguous && !last) {
    return false;
  }
  const first = firstOf(collapsed);
  if (!first) {
    return true;
  }
  return await new TableSift(layout, formOf(layout, first), { work, last }).run(collapsed);
}

function firstOf({
  deletes,
  passing,
  updates,
  inserts,
}: Collapsed): Collapsed['deletes'][number]['tuple'] | null {
  return (deletes[0] ?? passing[0] ?? updates[0] ?? inserts[0])?.tuple ?? null;
}
