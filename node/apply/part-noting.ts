/** What a part parks, noted in its local transaction; the view follows once that has committed. */
import { block, noteAttempt, park, unpark } from '../parking/parked-table.ts';
import {
  type KeyOfTable,
  type NewParked,
  tableText,
  type TableName,
} from '../parking/parked-key.ts';
import { mostParked, type ParkedView } from '../parking/parked-view.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { keyTexts } from './key-texts.ts';
import type { Layout } from './layout.ts';
import type { Query } from './session.ts';

export interface Noted {
  /** What is complete here has changed. */
  readonly changes: boolean;
  /** After the commit. */
  committed(): void;
}

/** A table with more parked keys than the bound is blocked instead: it comes back whole, by reconcile. */
export async function noteParked(
  keys: readonly NewParked[],
  view: ParkedView,
  query: Query,
): Promise<Noted> {
  if (keys.length === 0) {
    return { changes: false, committed: () => {} };
  }
  const { kept, blocked } = withinBound(keys, view);
  if (kept.length > 0) {
    await park(query, view.provider, kept);
  }
  for (const table of blocked) {
    await block(query, view.provider, table);
  }
  return {
    changes: true,
    committed: () => {
      view.add(kept);
      blocked.forEach((table) => view.block(table));
    },
  };
}

/**
 * Rows put beside the stream: of those that were parked, the ones that went in are not any more, and for the others
 * another attempt has failed.
 */
export async function notePut(
  { layout, tuples, refused }: Put,
  view: ParkedView,
  query: Query,
): Promise<Noted> {
  const noted = await noteParked(
    refused.filter((one) => !view.find(one)),
    view,
    query,
  );
  if (!layout || view.keysOf(layout.table).size === 0) {
    return noted;
  }
  const { schema, name } = layout.target;
  const keys = await keyTexts(layout, tuples, query);
  const still = new Set(refused.map(({ key }) => JSON.stringify(key)));
  const were = keys.flatMap((key): readonly KeyOfTable[] => {
    const one = { table: { schema, name }, key };
    return view.find(one) ? [one] : [];
  });
  const level = were.filter(({ key }) => !still.has(JSON.stringify(key)));
  const failed = refused.filter((one) => view.find(one));
  await unpark(query, view.provider, level);
  await noteAttempt(query, view.provider, failed);
  return {
    changes: noted.changes || level.length > 0 || failed.length > 0,
    committed: () => {
      noted.committed();
      view.remove(level);
      view.add(failed);
    },
  };
}

interface Put {
  /** Null: the table is not of the set. */
  readonly layout: Layout | null;
  readonly tuples: readonly Tuple[];
  readonly refused: readonly NewParked[];
}

function withinBound(
  keys: readonly NewParked[],
  view: ParkedView,
): { readonly kept: readonly NewParked[]; readonly blocked: readonly TableName[] } {
  const kept: NewParked[] = [];
  const blocked: TableName[] = [];
  for (const [table, some] of Map.groupBy(keys, (one) => tableText(one.table))) {
    const waiting = some.filter(({ reason }) => reason === 'orphan');
    const counting = some.filter(({ reason }) => reason !== 'orphan');
    const room = Math.max(0, mostParked - view.counted(table));
    kept.push(...waiting, ...counting.slice(0, room));
    const [first] = counting;
    if (first && counting.length > room) {
      blocked.push(first.table);
    }
  }
  return { kept, blocked };
}
