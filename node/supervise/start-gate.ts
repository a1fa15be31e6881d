/**
 * How many streams may be on their way to their connections at once. When hundreds start together, each waits for the
 * processor of the others' logins until all run into their deadlines, and begin anew together: none ever gets there.
 */
const placesAtOnce = 8;

/** A child that does not answer keeps nobody waiting for long: a place ends by itself. */
export class StartPlace {
  readonly #pass: () => void;
  #timer: NodeJS.Timeout;
  #left = false;

  constructor(longestMs: number, pass: () => void) {
    this.#pass = pass;
    this.#timer = this.#endAfter(longestMs);
  }

  /** From now on for so long. */
  keep(longestMs: number): void {
    if (!this.#left) {
      clearTimeout(this.#timer);
      this.#timer = this.#endAfter(longestMs);
    }
  }

  leave(): void {
    if (!this.#left) {
      this.#left = true;
      clearTimeout(this.#timer);
      this.#pass();
    }
  }

  #endAfter(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.leave(), ms).unref();
  }
}

export class StartGate {
  readonly #places: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(places = placesAtOnce) {
    this.#places = places;
  }

  /** Waits for a place, in the order of asking; null when `signal` aborts first. It is kept for `longestMs`. */
  async enter(longestMs: number, signal: AbortSignal): Promise<StartPlace | null> {
    if (signal.aborted || !(await this.#turn(signal))) {
      return null;
    }
    return new StartPlace(longestMs, () => this.#pass());
  }

  /** False when `signal` aborts first. */
  async #turn(signal: AbortSignal): Promise<boolean> {
    if (this.#taken < this.#places) {
      this.#taken += 1;
      return true;
    }
    const turn = Promise.withResolvers<boolean>();
    const come = (): void => turn.resolve(true);
    const give = (): void => {
      const at = this.#waiting.indexOf(come);
      if (at >= 0) {
        this.#waiting.splice(at, 1);
        turn.resolve(false);
      }
    };
    this.#waiting.push(come);
    signal.addEventListener('abort', give, { once: true });
    const came = await turn.promise;
    signal.removeEventListener('abort', give);
    return came;
  }

  /** A place that ends is the next one's. */
  #pass(): void {
    const next = this.#waiting.shift();
    if (next) {
      next();
    } else {
      this.#taken -= 1;
    }
  }
}
