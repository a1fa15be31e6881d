/** When what failed may be tried again: by name, after a time that doubles with each failure in a row. */

const leastMs = 1000;
const greatestMs = 60_000;

export class RetryTimes {
  readonly #failures = new Map<string, { readonly count: number; readonly until: number }>();

  /** That failed and were not forgotten. */
  get names(): readonly string[] {
    return [...this.#failures.keys()];
  }

  /** That are not to be tried yet. */
  get waiting(): readonly string[] {
    return this.names.filter((name) => !this.isDue(name));
  }

  isDue(name: string): boolean {
    return (this.#failures.get(name)?.until ?? 0) <= performance.now();
  }

  fail(name: string): void {
    const count = (this.#failures.get(name)?.count ?? 0) + 1;
    const waitMs = Math.min(greatestMs, leastMs * 2 ** (count - 1));
    this.#failures.set(name, { count, until: performance.now() + waitMs });
  }

  forget(name: string): void {
    this.#failures.delete(name);
  }
}
