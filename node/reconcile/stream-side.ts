/** What reading ranges needs of the stream it runs beside: its ends, its position, and turns with its parts. */
import type { Applier } from '../apply/applier.ts';
import type { StreamScope } from '../config/model.ts';
import type { ParkedView } from '../parking/parked-view.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Provider } from '../provider/provider.ts';
import type { Trail } from './trail.ts';

export interface StreamSide {
  readonly scope: StreamScope;
  readonly provider: Pick<Provider, 'describe' | 'openReader' | 'hasten' | 'progress' | 'isLevel'>;
  readonly applier: Applier;
  readonly trail: Trail;
  /** What is parked of the stream. */
  readonly parked: ParkedView;
  readonly turns: Turns;
  readonly position: AppliedPosition;
  /** The form of the stream's values. */
  readonly format: 'text' | 'binary';
}

/** One at a time, in the order of asking. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  async take<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const ended = Promise.withResolvers<void>();
    this.#last = ended.promise;
    await before;
    try {
      return await work();
    } finally {
      ended.resolve();
    }
  }
}

/** How far the stream is applied, for those who wait for it. */
export class AppliedPosition {
  #position: Lsn;
  readonly #waiting = new Map<() => void, Lsn>();

  constructor(position: Lsn) {
    this.#position = position;
  }

  get position(): Lsn {
    return this.#position;
  }

  advance(position: Lsn): void {
    this.#position = position;
    for (const [resolve, wanted] of this.#waiting) {
      if (wanted <= position) {
        this.#waiting.delete(resolve);
        resolve();
      }
    }
  }

  /** Resolves when it is reached; rejects with the signal's reason. */
  async reached(position: Lsn, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (position <= this.#position) {
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const aborted = (): void => {
      reject(signal.reason);
    };
    this.#waiting.set(resolve, position);
    signal.addEventListener('abort', aborted, { once: true });
    try {
      await promise;
    } finally {
      this.#waiting.delete(resolve);
      signal.removeEventListener('abort', aborted);
    }
  }
}
