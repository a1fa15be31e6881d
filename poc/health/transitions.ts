/** The six things that happen to a row, as the verdict counts them. Edits and deletes count for approved rows only. */

export const transitions = [
  'insert_draft',
  'approve',
  'edit',
  'withdraw',
  'approve_again',
  'delete',
] as const;

export type Transition = (typeof transitions)[number];

export class Tally {
  readonly #counts = new Map<Transition, number>(transitions.map((name) => [name, 0]));
  #transactions = 0;
  #retries = 0;

  add(transition: Transition, rows: number): void {
    this.#counts.set(transition, (this.#counts.get(transition) ?? 0) + rows);
  }

  /** A committed transaction and what it did. */
  commit(other: Tally): void {
    for (const [transition, rows] of other.#counts) {
      this.add(transition, rows);
    }
    this.#transactions += 1;
  }

  retry(): void {
    this.#retries += 1;
  }

  get transactions(): number {
    return this.#transactions;
  }

  /** Transactions that ended without an answer, such as when the database was killed. */
  get retries(): number {
    return this.#retries;
  }

  counts(): Record<Transition, number> {
    return Object.fromEntries(this.#counts) as Record<Transition, number>;
  }
}
