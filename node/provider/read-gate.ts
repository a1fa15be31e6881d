/** When the socket is left unread, and since when: because the queue is full, or for milliseconds to read in chunks. */
import { ReadPace } from './read-pace.ts';

export interface ReadGateOptions {
  readonly pause: () => void;
  readonly resume: () => void;
}

export class ReadGate {
  readonly #options: ReadGateOptions;
  readonly #pace = new ReadPace();
  #fullSince: number | null = null;
  #paced = false;
  #closed = false;
  /** Bytes read in this turn of the event loop; null: none yet. */
  #turnBytes: number | null = null;

  constructor(options: ReadGateOptions) {
    this.#options = options;
  }

  /** performance.now() when the queue became full; null: it is not. */
  get fullSince(): number | null {
    return this.#fullSince;
  }

  /** After each read of the socket. */
  read(bytes: number): void {
    // A TLS socket hands over one read in several pieces: the turn of the event loop is what was read at once.
    if (this.#turnBytes === null) {
      setImmediate(() => {
        this.#afterTurn();
      });
    }
    this.#turnBytes = (this.#turnBytes ?? 0) + bytes;
  }

  full(): void {
    this.#fullSince ??= performance.now();
    this.#options.pause();
  }

  /** True when it had been full. */
  relieved(): boolean {
    if (this.#fullSince === null) {
      return false;
    }
    this.#fullSince = null;
    this.#open();
    return true;
  }

  /** Touches the socket no more. */
  close(): void {
    this.#closed = true;
  }

  #afterTurn(): void {
    const pauseMs = this.#pace.afterTurn(this.#turnBytes ?? 0, performance.now());
    this.#turnBytes = null;
    if (pauseMs > 0 && !this.#closed) {
      this.#paced = true;
      this.#options.pause();
      setTimeout(() => {
        this.#paced = false;
        this.#open();
      }, pauseMs);
    }
  }

  #open(): void {
    if (!this.#paced && this.#fullSince === null && !this.#closed) {
      this.#options.resume();
    }
  }
}
