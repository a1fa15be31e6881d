/**
 * How many streams may be on their way to their connections at once. When hundreds start together, each waits for the
 * processor of the others' logins until all run into their deadlines, and begin anew together: none ever gets there.
 */
import { setTimeout as pause } from 'node:timers/promises';

const placesAtOnce = 8;

export class StartGate {
  readonly #places: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(places = placesAtOnce) {
    this.#places = places;
  }

  /**
   * Waits for a place, in the order of asking; null when `signal` aborts first. The place ends by the returned function,
   * and by itself after `longestMs`: a child that does not answer keeps nobody waiting for longer.
   */
  async enter(longestMs: number, signal: AbortSignal): Promise<(() => void) | null> {
    if (signal.aborted || !(await this.#turn(signal))) {
      return null;
    }
    const ended = new AbortController();
    const leave = (): void => {
      if (!ended.signal.aborted) {
        ended.abort();
        this.#pass();
      }
    };
    void pause(longestMs, undefined, { signal: ended.signal, ref: false }).then(leave, () => {});
    return leave;
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
