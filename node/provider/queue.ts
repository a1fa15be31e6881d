/** Whole transactions that wait for apply, in commit order, and how they become parts. Bounded by its owner in bytes. */
import type { Assembled } from '../pgoutput/assembler.ts';
import type { Part } from '../pgoutput/part.ts';
import { TransactionRun } from '../pgoutput/transaction-run.ts';
import { MemoryPart } from './memory-part.ts';

/**
 * So many changes become objects at once, one set, and one transaction here: 5,000 to 20,000 changes are what PostgreSQL does
 * fastest, but what a transaction has updated is no room for what it updates next. Of 170,000 updates of 100,000 rows 83 in
 * a hundred were heap-only in transactions of 20,000 changes, 92 in those of 5,000, 95 in those of 2,000; PostgreSQL's own
 * worker, in the provider's transactions of 100: 93.
 */
const partSteps = 5000;

export class TransactionQueue {
  readonly #partBytes: number;
  #entries: (TransactionRun | Part)[] = [];
  /** Index of the first entry not taken. */
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
    const last = this.empty ? undefined : this.#entries.at(-1);
    if (last instanceof TransactionRun && this.#fits(last, whole)) {
      last.add(whole);
    } else {
      this.#entries.push(new TransactionRun(whole));
    }
    this.#cost += whole.cost;
  }

  pushSpooled(part: Part): void {
    this.#entries.push(part);
    this.#spooled += 1;
  }

  /** All whole transactions that wait, up to the mark; null when none does. */
  take(): Part | null {
    const first = this.#entries[this.#head];
    if (!first) {
      return null;
    }
    this.#head += 1;
    this.#compact();
    if (first instanceof TransactionRun) {
      this.#cost -= first.cost;
      return new MemoryPart(first.position, first);
    }
    this.#spooled -= 1;
    return first;
  }

  /** Empties the queue and gives back its files. */
  async clear(): Promise<void> {
    const left = this.#entries.slice(this.#head);
    this.#entries = [];
    this.#head = 0;
    this.#cost = 0;
    this.#spooled = 0;
    for (const entry of left) {
      if (!(entry instanceof TransactionRun)) {
        await entry.release();
      }
    }
  }

  #fits(run: TransactionRun, { steps, cost, before }: Assembled): boolean {
    return (
      run.steps + steps <= partSteps && run.cost + cost <= this.#partBytes && run.precedes(before)
    );
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
