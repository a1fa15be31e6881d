/**
 * How many streams may be on their way to their connections at once. When hundreds start together, each waits for the
 * processor of the others' logins until all run into their deadlines, and begin anew together: none ever gets there.
 */
import { Places } from '../database/places.ts';

const placesAtOnce = 8;

/** A child that does not answer keeps nobody waiting for long: a place ends by itself. */
export class StartPlace {
  readonly leave: () => void;
  #timer: NodeJS.Timeout;

  constructor(longestMs: number, leave: () => void) {
    this.#timer = setTimeout(leave, longestMs).unref();
    this.leave = () => {
      clearTimeout(this.#timer);
      leave();
    };
  }

  /** From now on for so long, unless it has ended. */
  keep(longestMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.leave, longestMs).unref();
  }
}

export class StartGate {
  readonly #places: Places;

  constructor(places = placesAtOnce) {
    this.#places = new Places(places);
  }

  /** Waits for a place, in the order of asking; null when `signal` aborts first. It is kept for `longestMs`. */
  async enter(longestMs: number, signal: AbortSignal): Promise<StartPlace | null> {
    const leave = await this.#places.take(signal).catch(() => null);
    return leave && new StartPlace(longestMs, leave);
  }
}
