/** The rows of some tables that a part touched, for what is judged at its end. */
import type { Change } from '../pgoutput/change.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { collapse } from './collapse.ts';
import type { Layout } from './layout.ts';
import { oldKeyTuple } from './row-key.ts';
import type { Segment } from './segment.ts';

/** Rows of a table that a part touched, as one layout reads them: a table may change its shape within a part. */
export interface Touched {
  readonly layout: Layout;
  /** As they went in; all: too many to remember, or a truncate. */
  readonly tuples: Tuple[] | 'all';
  /** What stood here before, under the key it had. */
  readonly before: Tuple[];
}

/** By table; of one entry where all its rows were touched. */
export type TouchedTables = ReadonlyMap<string, readonly Touched[]>;

const remembered = 100_000;

export class TouchedRows {
  #tables = new Map<string, Touched[]>();

  get tables(): TouchedTables {
    return this.#tables;
  }

  /** Nothing is remembered of an attempt that was undone. */
  forget(): void {
    this.#tables = new Map();
  }

  /** What was left out of the segments was not touched, and its values need not fit here. */
  note(segments: readonly Segment[]): void {
    for (const segment of segments) {
      if (segment.kind === 'truncate') {
        segment.layouts.forEach((layout) => this.#all(layout));
      } else {
        segment.tables.forEach(({ layout, changes }) => this.#add(layout, changes));
      }
    }
  }

  #all(layout: Layout): void {
    this.#tables.set(layout.table, [{ layout, tuples: 'all', before: [] }]);
  }

  #add(layout: Layout, changes: readonly Change[]): void {
    const known = this.#tables.get(layout.table) ?? [];
    if (known.some(({ tuples }) => tuples === 'all')) {
      return;
    }
    const { now, before } = lastStates(layout, changes);
    if (known.reduce((sum, one) => sum + count(one), now.length + before.length) > remembered) {
      this.#all(layout);
      return;
    }
    const same = known.find((one) => one.layout === layout);
    if (same && same.tuples !== 'all') {
      const { tuples } = same;
      now.forEach((tuple) => tuples.push(tuple));
      before.forEach((tuple) => same.before.push(tuple));
    } else {
      const made = { layout, tuples: [...now], before: [...before] };
      this.#tables.set(layout.table, [...known, made]);
    }
  }
}

function count({ tuples, before }: Touched): number {
  return tuples.length + before.length;
}

interface States {
  readonly now: readonly Tuple[];
  readonly before: readonly Tuple[];
}

/** A state in between was never stored, and its values need not fit here. */
function lastStates({ keyIndexes }: Layout, changes: readonly Change[]): States {
  if (changes.every(({ kind }) => kind === 'insert')) {
    return { now: changes.flatMap((change) => change.new ?? []), before: [] };
  }
  const { deletes, passing, updates, inserts, ambiguous } = collapse(changes, keyIndexes);
  if (ambiguous) {
    return { now: changes.flatMap((change) => change.new ?? []), before: changes.map(oldKeyTuple) };
  }
  const before = [...deletes, ...passing].map(({ tuple }) => tuple);
  return {
    now: [...updates, ...inserts].map(({ tuple }) => tuple),
    before: [...before, ...updates.filter(({ old, tuple }) => old !== tuple).map(({ old }) => old)],
  };
}
