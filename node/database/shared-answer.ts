/**
 * One question for all streams of a process: of hundreds each else asks for itself every other second, and nearly always
 * hears what the others do.
 */

/** So old an answer may be; whoever asks comes again. */
const freshMs = 1000;

export class SharedAnswer<T> {
  readonly #ask: () => Promise<T>;
  #asked = Number.NEGATIVE_INFINITY;
  #answer: Promise<T> | null = null;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  /** What was done within the last second may be missed. A question that failed is asked again at once. @throws its failure */
  async latest(): Promise<T> {
    if (this.#answer === null || performance.now() - this.#asked > freshMs) {
      this.#asked = performance.now();
      const answer = this.#ask();
      this.#answer = answer;
      answer.catch(() => {
        if (this.#answer === answer) {
          this.forget();
        }
      });
    }
    return await this.#answer;
  }

  /** Who asks from now on hears of all that is done by now. */
  forget(): void {
    this.#answer = null;
  }
}
