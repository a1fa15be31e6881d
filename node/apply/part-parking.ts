/**
 * What of one part is left out because its key is parked, or found to be parked by this part. An attempt that is undone
 * may leave what it found here: a row that can not be stored can not be stored by the next attempt either.
 */
import { because, type ParkCause } from '../parking/parked-key.ts';
import type { Change } from '../pgoutput/change.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import type { KnownKeys } from './known-keys.ts';
import type { Layout } from './layout.ts';
import { oldKeyTuple, rowKey } from './row-key.ts';

/** A key that gets parked with this part. */
export interface Refused {
  readonly layout: Layout;
  /** Holds the key; of a whole row the origin too. */
  readonly tuple: Tuple;
  readonly cause: ParkCause;
  readonly waitsFor: bigint | null;
}

/** Which changes an attempt takes. */
export interface Taking {
  /** Every change is taken, and need not be asked for. */
  readonly quiet: boolean;
  takes(layout: Layout, change: Change): boolean;
}

export class PartParking implements Taking {
  readonly #known: KnownKeys;
  readonly #refused = new Map<string, Refused>();
  /** Keys a step failed on: their last state in the slice is tried at its end. */
  readonly #suspended = new Map<string, Refused>();
  /** The changes that failed, and those left out behind them. */
  #waiting = new Set<Change>();

  constructor(known: KnownKeys) {
    this.#known = known;
  }

  get quiet(): boolean {
    return this.#known.quiet && this.#refused.size === 0 && this.#suspended.size === 0;
  }

  get refused(): readonly Refused[] {
    return [...this.#refused.values()];
  }

  /** False: a key of the change is parked. The other key of a key change is not level either, then. */
  takes(layout: Layout, change: Change): boolean {
    if (this.#known.isBlocked(layout.table)) {
      return false;
    }
    const tuples = tuplesOf(change);
    if (!tuples.some((tuple) => this.#isOut(layout, tuple))) {
      return true;
    }
    if (tuples.some((tuple) => this.#suspended.has(identity(layout, tuple)))) {
      this.#waiting.add(change);
    }
    for (const tuple of tuples) {
      if (!this.#isOut(layout, tuple)) {
        this.refuse({ layout, tuple, cause: because('update_missing'), waitsFor: null });
      }
    }
    return false;
  }

  /** The same of transactions that went in, where nothing more is refused. */
  get taken(): Taking {
    return {
      quiet: this.quiet,
      takes: (layout, change) =>
        !this.#known.isBlocked(layout.table) &&
        !tuplesOf(change).some((tuple) => this.#isOut(layout, tuple)),
    };
  }

  refuse(refused: Refused): void {
    this.#refused.set(identity(refused.layout, refused.tuple), refused);
  }

  suspend(layout: Layout, change: Change, cause: ParkCause): void {
    this.#waiting.add(change);
    for (const tuple of tuplesOf(change)) {
      const refused = { layout, tuple, cause, waitsFor: null };
      this.#suspended.set(identity(layout, tuple), refused);
    }
  }

  /** Whether a step of this slice failed. */
  get suspends(): boolean {
    return this.#suspended.size > 0;
  }

  /**
   * Takes the changes that wait, and suspends none any more. No other change of their keys: it went in, and its key may be
   * another row's by now.
   */
  resume(): Taking {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    this.#suspended.clear();
    return {
      quiet: false,
      takes: (layout, change) => waiting.has(change) && this.takes(layout, change),
    };
  }

  #isOut(layout: Layout, tuple: Tuple): boolean {
    const key = rowKey(tuple, layout.keyIndexes);
    if (this.#known.has(layout.table, key)) {
      return true;
    }
    const id = `${layout.table}\u0000${key}`;
    return this.#refused.has(id) || this.#suspended.has(id);
  }
}

/** A key of a table as one text. */
export function identity(layout: Layout, tuple: Tuple): string {
  return `${layout.table}\u0000${rowKey(tuple, layout.keyIndexes)}`;
}

/** The tuples that hold the change's keys: one, or two where an update changes the key. */
function tuplesOf(change: Change): readonly Tuple[] {
  const old = oldKeyTuple(change);
  return change.new && change.new !== old ? [old, change.new] : [old];
}
