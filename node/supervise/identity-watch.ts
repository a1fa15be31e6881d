/**
 * While a stream runs: whether its provider still publishes by the publication that was known. PostgreSQL 18 sends
 * nothing, and says nothing, of what is committed while a publication is missing; the next heartbeat of the provider
 * tells that it was made anew.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { SharedLooks } from '../database/shared-looks.ts';
import type { StreamRow } from '../database/streams.ts';

const everyMs = 5000;

export class IdentityWatch implements AsyncDisposable {
  readonly #differs = new AbortController();
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  private constructor(looks: SharedLooks, row: StreamRow) {
    this.#running = this.#run(looks, row);
  }

  static begin(looks: SharedLooks, row: StreamRow): IdentityWatch {
    looks.forgetPublications();
    return new IdentityWatch(looks, row);
  }

  /** Aborts once the publication is another one. */
  get differs(): AbortSignal {
    return this.#differs.signal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #run(looks: SharedLooks, row: StreamRow): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      // A database that does not answer is apply's to notice.
      if (await isAnother(looks, row).catch(() => false)) {
        this.#differs.abort();
        return;
      }
      await pause(everyMs, undefined, { signal }).catch(() => {});
    }
  }
}

/** Heartbeats from before the position, or from before the provider went back in time, may tell of what was proved since. */
async function isAnother(looks: SharedLooks, row: StreamRow): Promise<boolean> {
  const told = await looks.publicationOf(row.provider);
  return (
    told !== null &&
    told.oid !== null &&
    told.oid !== String(row.publicationOid) &&
    told.lsn > row.position &&
    told.nonce !== row.unwitnessed
  );
}
