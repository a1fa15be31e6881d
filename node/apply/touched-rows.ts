/** The rows of some tables that a part touched, for what is judged at its end. */
import type { Relation } from '../pgoutput/messages.ts';
import type { Transaction } from '../pgoutput/part.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import type { Layout } from './layout.ts';
import { oldKeyTuple } from './row-key.ts';

/** Tuples of a table whose rows a part touched; all: too many to remember, or a truncate. */
export interface Touched {
  readonly layout: Layout;
  tuples: Tuple[] | 'all';
}

const remembered = 100_000;

export class TouchedRows {
  #tables = new Map<string, Touched>();

  get tables(): ReadonlyMap<string, Touched> {
    return this.#tables;
  }

  /** Nothing is remembered of an attempt that was undone. */
  forget(): void {
    this.#tables = new Map();
  }

  note(
    transactions: readonly Transaction[],
    layoutOf: (relation: Relation) => Layout | null,
    isOfInterest: (table: string) => boolean,
  ): void {
    for (const { changes } of transactions) {
      for (const step of changes) {
        if (step.kind === 'truncate') {
          step.relations.forEach((relation) => this.#add(layoutOf(relation), 'all', isOfInterest));
        } else if (step.kind !== 'message') {
          const old = oldKeyTuple(step);
          const both = step.new && step.new !== old ? [old, step.new] : [old];
          this.#add(layoutOf(step.relation), both, isOfInterest);
        }
      }
    }
  }

  #add(
    layout: Layout | null,
    tuples: readonly Tuple[] | 'all',
    isOfInterest: (table: string) => boolean,
  ): void {
    if (!layout || !isOfInterest(layout.table)) {
      return;
    }
    const known = this.#tables.get(layout.table);
    if (!known) {
      this.#tables.set(layout.table, { layout, tuples: tuples === 'all' ? 'all' : [...tuples] });
    } else if (tuples === 'all' || known.tuples === 'all' || known.tuples.length > remembered) {
      known.tuples = 'all';
    } else {
      known.tuples.push(...tuples);
    }
  }
}
