/** What a part parks, noted in its local transaction; the view follows once that has committed. */
import { block, noteSetAside } from '../parking/blocked-table.ts';
import { noteAttempt, park, unpark } from '../parking/parked-table.ts';
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
import type { Uneven } from './layouts.ts';
import type { Query } from './session.ts';

export interface Noted {
  /** Statements on their way; what is complete here changes with them. Empty: nothing is parked or freed. */
  readonly sent: readonly Promise<unknown>[];
  /** After the commit. */
  committed(): void;
}

/** A table with more parked keys than the bound is blocked instead: it comes back whole, by reconcile. */
export function noteParked(keys: readonly NewParked[], view: ParkedView, query: Query): Noted {
  if (keys.length === 0) {
    return { sent: [], committed: () => {} };
  }
  // crash point: keys-refused
  const { kept, blocked } = withinBound(keys, view);
  return {
    sent: onTheirWay([
      ...(kept.length > 0 ? [park(query, view.provider, kept)] : []),
      ...blocked.map(async (table) => await block(query, view.provider, { table, drift: null })),
    ]),
    committed: () => {
      // crash point: keys-parked
      view.add(kept);
      blocked.forEach((table) => view.block(table));
    },
  };
}

/** Tables found not to be alike: blocked where rows are impossible; else the columns that are left out are noted. */
export function noteUneven(tables: readonly Uneven[], view: ParkedView, query: Query): Noted {
  const { provider } = view;
  const drifted = tables.filter(({ drift }) => drift !== null);
  const partial = tables.filter(({ setAside }) => setAside.length > 0);
  return {
    sent: onTheirWay([
      ...drifted.map(async ({ table, drift }) => await block(query, provider, { table, drift })),
      ...partial.map(
        async ({ table, setAside }) =>
          await noteSetAside(query, provider, { table, columns: setAside }),
      ),
    ]),
    committed: () => drifted.forEach(({ table }) => view.block(table)),
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
  const noted = noteParked(
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
  return {
    sent: [
      ...noted.sent,
      ...onTheirWay([
        ...(level.length > 0 ? [unpark(query, view.provider, level)] : []),
        ...(failed.length > 0 ? [noteAttempt(query, view.provider, failed)] : []),
      ]),
    ],
    committed: () => {
      noted.committed();
      view.remove(level);
      view.add(failed);
    },
  };
}

/** Their failures are read with the commit's. */
function onTheirWay(statements: readonly Promise<unknown>[]): readonly Promise<unknown>[] {
  statements.forEach((one) => void one.catch(() => {}));
  return statements;
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
