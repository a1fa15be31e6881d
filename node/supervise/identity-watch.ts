/**
 * While a stream runs: whether its provider still publishes by the publication that was known. PostgreSQL 18 sends
 * nothing, and says nothing, of what is committed while a publication is missing; the next heartbeat of the provider
 * tells that it was made anew.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { StreamRow } from '../database/streams.ts';
import { queryOf, type TributaryDatabase } from '../database/tables.ts';
import { formatLsn } from '../pgoutput/lsn.ts';

const everyMs = 5000;

export class IdentityWatch implements AsyncDisposable {
  readonly #differs = new AbortController();
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  private constructor(database: TributaryDatabase, row: StreamRow) {
    this.#running = this.#run(database, row);
  }

  static begin(database: TributaryDatabase, row: StreamRow): IdentityWatch {
    return new IdentityWatch(database, row);
  }

  /** Aborts once the publication is another one. */
  get differs(): AbortSignal {
    return this.#differs.signal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  async #run(database: TributaryDatabase, row: StreamRow): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      // A database that does not answer is apply's to notice.
      if (await isAnother(database, row).catch(() => false)) {
        this.#differs.abort();
        return;
      }
      await pause(everyMs, undefined, { signal }).catch(() => {});
    }
  }
}

/** Heartbeats from before the position, or from before the provider went back in time, may tell of what was proved since. */
async function isAnother(database: TributaryDatabase, row: StreamRow): Promise<boolean> {
  const { rows } = await queryOf(database)(
    `select from tributary.heartbeat h
     where h.node = $1 and h.lsn > $2::pg_lsn and h.state -> 'publication' ->> 'oid' <> $3
       and h.nonce is distinct from $4::uuid`,
    [row.provider, formatLsn(row.position), String(row.publicationOid), row.unwitnessed],
  );
  return rows.length > 0;
}
