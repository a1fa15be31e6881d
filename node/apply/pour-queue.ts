/**
 * Rows still to be poured, as ranges in their order, and how many go together: few where rows fail, so that little is
 * undone with one that does. Pure.
 */

export interface Range {
  readonly from: number;
  readonly to: number;
}

const leastRows = 32;
const mostRows = 4096;
const mostRanges = 4;

export class PourQueue {
  #ranges: readonly Range[];
  #size = mostRows;
  /** Rows that went in since one failed. */
  #gap = 0;

  constructor(count: number) {
    this.#ranges = count > 0 ? [{ from: 0, to: count }] : [];
  }

  /** What is to be poured yet. */
  get left(): readonly Range[] {
    return this.#ranges;
  }

  /** The next sets; empty: nothing is left. */
  next(): readonly Range[] {
    const sets: Range[] = [];
    for (const { from, to } of this.#ranges) {
      for (let at = from; at < to && sets.length < mostRanges; at += this.#size) {
        sets.push({ from: at, to: Math.min(at + this.#size, to) });
      }
    }
    return sets;
  }

  /** Everything before `upto` is in. */
  went(upto: number): void {
    const before = this.#left();
    this.#ranges = this.#ranges.flatMap(({ from, to }) =>
      upto >= to ? [] : [{ from: Math.max(from, upto), to }],
    );
    this.#gap += before - this.#left();
  }

  /** No set failed. */
  allWent(): void {
    this.#size = Math.min(this.#size * 2, mostRows);
  }

  /** One row of the set is at fault: those before it and those behind it go again, without it. */
  without(row: number, set: Range): void {
    this.#failed(row - set.from);
    this.#put(set, [
      { from: set.from, to: row },
      { from: row + 1, to: set.to },
    ]);
  }

  /** One row of the set may be at fault: it goes again by itself, and the others beside it. */
  alone(row: number, set: Range): void {
    this.#failed(row - set.from);
    this.#put(set, [
      { from: set.from, to: row },
      { from: row, to: row + 1 },
      { from: row + 1, to: set.to },
    ]);
  }

  /** Nothing is known but that the set failed. */
  halve(set: Range): void {
    const middle = (set.from + set.to) >> 1;
    this.#put(set, [
      { from: set.from, to: middle },
      { from: middle, to: set.to },
    ]);
  }

  #failed(before: number): void {
    const half = (this.#gap + before) >> 1;
    this.#size = Math.min(Math.max(leastRows, half), mostRows);
    this.#gap = 0;
  }

  /** `set` was cut off the front of the first range. */
  #put(set: Range, parts: readonly Range[]): void {
    const [first, ...others] = this.#ranges;
    const rest = first ? [{ from: set.to, to: first.to }, ...others] : others;
    this.#ranges = [...parts, ...rest].filter(({ from, to }) => to > from);
  }

  #left(): number {
    return this.#ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  }
}
