/**
 * Rows that move to another key while their table is compared. The stream leaves out large values that did not change, so a
 * row that was old here is old under its new key too, and the comparison may be past that key: it is noted with those that
 * differ, in the transaction that moves the row, and judged with them. Once the table is through, only rows that are noted
 * may be old, and only those are followed, or a table whose keys change all the time would never be level.
 */
import { notedOf, noteKeys } from '../database/reconcile-tables.ts';
import type { ParkedView } from '../parking/parked-view.ts';
import type { Change } from '../pgoutput/change.ts';
import type { Transaction } from '../pgoutput/part.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { keyTexts } from './key-texts.ts';
import type { Layout } from './layout.ts';
import { rowKey } from './row-key.ts';
import type { Query } from './session.ts';
import type { Work } from './work.ts';

interface Move {
  readonly from: Tuple;
  readonly to: Tuple;
}

/** @throws the database's error. */
export async function noteMoved(
  transactions: readonly Transaction[],
  { layoutOf, query }: Work,
  view: ParkedView,
): Promise<void> {
  if (!view.compares) {
    return;
  }
  const moved = new Map<Layout, Move[]>();
  for (const { changes } of transactions) {
    for (const step of changes) {
      if (step.kind === 'update') {
        const layout = layoutOf(step.relation);
        const move = layout && view.phaseOf(layout.table) ? moveInPart(step, layout) : null;
        if (layout && move) {
          const moves = moved.get(layout) ?? [];
          moved.set(layout, moves);
          moves.push(move);
        }
      }
    }
  }
  for (const [layout, moves] of moved) {
    await note(layout, moves, { view, query });
  }
}

async function note(
  layout: Layout,
  moves: readonly Move[],
  { view, query }: { readonly view: ParkedView; readonly query: Query },
): Promise<void> {
  const { schema, name } = layout.target;
  const at = { provider: view.provider, schema, name };
  const to = await keyTexts(
    layout,
    moves.map((move) => move.to),
    query,
  );
  if (view.phaseOf(layout.table) === 'walking') {
    await noteKeys(query, at, to);
    return;
  }
  const from = await keyTexts(
    layout,
    moves.map((move) => move.from),
    query,
  );
  const noted = new Set((await notedOf(query, at, from)).map(keyText));
  // In order, for a row may move on in the same part.
  const followed = to.filter((key, n) => {
    const follows = noted.has(keyText(from[n] ?? []));
    if (follows) {
      noted.add(keyText(key));
    }
    return follows;
  });
  if (followed.length > 0) {
    await noteKeys(query, at, followed);
  }
}

function keyText(key: readonly string[]): string {
  return JSON.stringify(key);
}

function moveInPart({ old, new: now }: Change, { keyIndexes }: Layout): Move | null {
  return old && now?.hasUnchanged && rowKey(old, keyIndexes) !== rowKey(now, keyIndexes)
    ? { from: old, to: now }
    : null;
}
