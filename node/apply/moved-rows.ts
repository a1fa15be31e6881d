/**
 * Rows that move to another key while their table is compared. The stream leaves out large values that did not change, so a
 * row that was old here is old under its new key too, and the comparison may be past that key: it is noted with those that
 * differ, in the transaction that moves the row, and judged with them.
 */
import { noteKeys } from '../database/reconcile-tables.ts';
import type { ParkedView } from '../parking/parked-view.ts';
import type { Change } from '../pgoutput/change.ts';
import type { Transaction } from '../pgoutput/part.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { keyTexts } from './key-texts.ts';
import type { Layout } from './layout.ts';
import { rowKey } from './row-key.ts';
import type { Work } from './work.ts';

/** @throws the database's error. */
export async function noteMoved(
  transactions: readonly Transaction[],
  { layoutOf, query }: Work,
  view: ParkedView,
): Promise<void> {
  if (!view.compares) {
    return;
  }
  const moved = new Map<Layout, Tuple[]>();
  for (const { changes } of transactions) {
    for (const step of changes) {
      if (step.kind === 'update') {
        const layout = layoutOf(step.relation);
        if (layout && view.isCompared(layout.table) && movesInPart(step, layout)) {
          moved.set(layout, [...(moved.get(layout) ?? []), step.new]);
        }
      }
    }
  }
  for (const [layout, tuples] of moved) {
    const { schema, name } = layout.target;
    const keys = await keyTexts(layout, tuples, query);
    await noteKeys(query, { provider: view.provider, schema, name }, keys);
  }
}

function movesInPart(
  change: Change,
  { keyIndexes }: Layout,
): change is Change & { readonly new: Tuple } {
  const { old, new: now } = change;
  return Boolean(old && now?.hasUnchanged && rowKey(old, keyIndexes) !== rowKey(now, keyIndexes));
}
