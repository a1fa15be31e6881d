/** Something that runs beside a test and must end with it, also when the test fails. */

export class Background implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(task: (signal: AbortSignal) => Promise<void>) {
    this.#done = task(this.#stop.signal);
    // Told by stop(); until then a failure must not end the test process.
    this.#done.catch(() => {});
  }

  /** Waits for its orderly end. @throws what the task threw. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
  }
}
