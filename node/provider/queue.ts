/** Whole transactions that wait for apply, in commit order, and how they become parts. Bounded by its owner in bytes. */
import type { Assembled } from '../pgoutput/assembler.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import { noLsn } from '../pgoutput/lsn.ts';
import type { Part, Transaction } from '../pgoutput/part.ts';
import { MemoryPart } from './memory-part.ts';

const partSteps = 20_000;
/** So many changes and bytes become objects at once, and one set: 5,000 to 20,000 changes are what PostgreSQL does fastest. */
const slice = { steps: 5000, bytes: 2 << 20 } as const;

type Entry = { readonly whole: Assembled } | { readonly part: Part };

export class TransactionQueue {
  readonly #partBytes: number;
  #entries: Entry[] = [];
  /** Index of the first entry not taken: shifting an array of thousands is slow. */
  #head = 0;
  #cost = 0;
  #spooled = 0;

  /** @param partBytes a part takes transactions up to this, and always one. */
  constructor(partBytes: number) {
    this.#partBytes = partBytes;
  }

  get empty(): boolean {
    return this.#head === this.#entries.length;
  }

  /** Bytes of memory. */
  get cost(): number {
    return this.#cost;
  }

  /** A spooled transaction waits: nothing behind it should be read, or the disk has no bound. */
  get holdsSpooled(): boolean {
    return this.#spooled > 0;
  }

  push(whole: Assembled): void {
    this.#entries.push({ whole });
    this.#cost += whole.cost;
  }

  pushSpooled(part: Part): void {
    this.#entries.push({ part });
    this.#spooled += 1;
  }

  /** All whole transactions that wait, up to the mark; null when none does. */
  take(): Part | null {
    const first = this.#entries[this.#head];
    if (!first) {
      return null;
    }
    if ('part' in first) {
      this.#head += 1;
      this.#spooled -= 1;
      this.#compact();
      return first.part;
    }
    return this.#takeWhole();
  }

  /** Empties the queue and gives back its files. */
  async clear(): Promise<void> {
    const left = this.#entries.slice(this.#head);
    this.#entries = [];
    this.#head = 0;
    this.#cost = 0;
    this.#spooled = 0;
    for (const entry of left) {
      if ('part' in entry) {
        await entry.part.release();
      }
    }
  }

  #takeWhole(): Part {
    const slices = new Slices();
    let position: Lsn = noLsn;
    let bytes = 0;
    let cost = 0;
    let steps = 0;
    for (;;) {
      const next = this.#entries[this.#head];
      if (!next || 'part' in next) {
        break;
      }
      const { whole } = next;
      const tooMuch = cost + whole.cost > this.#partBytes || steps + whole.steps > partSteps;
      if (slices.length > 0 && tooMuch) {
        break;
      }
      slices.add(whole);
      position = whole.transaction.endLsn;
      bytes += whole.bytes;
      cost += whole.cost;
      steps += whole.steps;
      this.#head += 1;
    }
    this.#cost -= cost;
    this.#compact();
    return new MemoryPart({ slices: slices.all, position, bytes });
  }

  #compact(): void {
    if (this.empty) {
      this.#entries = [];
      this.#head = 0;
    } else if (this.#head > 4096) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
  }
}

class Slices {
  readonly all: Transaction[][] = [];
  #steps = 0;
  #bytes = 0;

  get length(): number {
    return this.all.length;
  }

  add({ transaction, steps, bytes }: Assembled): void {
    const last = this.all.at(-1);
    this.#steps += steps;
    this.#bytes += bytes;
    if (last && this.#steps <= slice.steps && this.#bytes <= slice.bytes) {
      last.push(transaction);
    } else {
      this.all.push([transaction]);
      this.#steps = steps;
      this.#bytes = bytes;
    }
  }
}
