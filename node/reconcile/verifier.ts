/**
 * Beside a stream that runs: compares what is asked for of its tables, one after the other, until told to stop, over a
 * connection of its own, so that nothing that has to be made equal waits for it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ReplicatedTable } from '../config/model.ts';
import { localError } from '../database/local-error.ts';
import type { SharedLooks } from '../database/shared-looks.ts';
import type { Query } from '../database/query.ts';
import { loadReconcile } from '../database/reconcile-tables.ts';
import { loadVerify, stopVerify, type VerifyRow } from '../database/verify-tables.ts';
import type { Log } from '../log.ts';
import { tableText } from '../parking/parked-key.ts';
import { RetryTimes } from './retry-times.ts';
import type { StreamSide } from './stream-side.ts';
import { TableSides } from './table-sides.ts';
import { verifyTable } from './verify-walk.ts';

export interface VerifierOptions {
  readonly stream: StreamSide;
  /** The replication set, heartbeat and audit included. */
  readonly tables: readonly ReplicatedTable[];
  /** This node's own database. */
  readonly query: Query;
  /** The same for what takes as long as a table is large: no limit of time but the signal. */
  readonly patient: (signal: AbortSignal) => Query;
  readonly looks: SharedLooks;
  readonly log: Log;
}

/** How often it is looked for new work; a person's word comes by the database. */
const lookMs = 2000;
/** The stream comes first: while more than this of it waits, chunks wait a little. */
const busyBytes = 1 << 20;
const busyWaitMs = 200;

export class Verifier {
  readonly #options: VerifierOptions;
  readonly #sides: TableSides;
  readonly #failures = new RetryTimes();

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#sides = new TableSides(options);
  }

  /** Resolves when told to stop; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    // A question that is under way would else be waited for.
    const abandon = (): void => void this.#sides.close();
    signal.addEventListener('abort', abandon, { once: true });
    try {
      while (!signal.aborted) {
        const row = await this.#next().catch(() => null);
        if (row) {
          await this.#table(row, signal);
        } else {
          await this.#sides.close();
          await pause(lookMs, undefined, { signal }).catch(() => {});
        }
      }
    } finally {
      signal.removeEventListener('abort', abandon);
      await this.#sides.close();
    }
  }

  /** A table that is being made equal is compared afterwards: until then it differs for a known reason. */
  async #next(): Promise<VerifyRow | null> {
    const { query, stream, looks } = this.#options;
    const { provider } = stream.scope;
    if (!(await looks.hasOpenWork(provider))) {
      return null;
    }
    const open = (await loadVerify(query, provider)).filter(
      (row) => row.state !== 'done' && this.#failures.isDue(tableText(row)),
    );
    if (open.length === 0) {
      return null;
    }
    const copies = await loadReconcile(query, provider);
    const moving = new Set(
      copies.filter(({ state }) => state !== 'done' && state !== 'held').map(tableText),
    );
    const ready = open.filter((row) => {
      const table = tableText(row);
      return !moving.has(table) && !stream.parked.isBlocked(table);
    });
    return ready[0] ?? null;
  }

  async #table(row: VerifyRow, signal: AbortSignal): Promise<void> {
    const { log, query } = this.#options;
    const table = tableText(row);
    const fields = { stream: row.provider, table };
    try {
      const side = await this.#sides.open(row, await this.#sides.published(), signal);
      const differing = await verifyTable(side, row, async () => await this.#pace(signal));
      this.#failures.forget(table);
      if (differing > 0) {
        log.warn({ ...fields, differing }, 'a table differs from the provider');
      } else {
        log.info(fields, 'a table was verified: it is equal');
      }
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      this.#failures.fail(table);
      const { code, context, advice } = localError(error);
      log.warn(
        { ...fields, ...context, code, advice },
        'a table was not verified; it is tried again',
      );
      await this.#sides.close();
      await stopVerify(query, row, code).catch(() => {});
    }
  }

  async #pace(signal: AbortSignal): Promise<void> {
    const { queuedBytes } = this.#options.stream.provider.progress();
    if (queuedBytes > busyBytes) {
      await pause(busyWaitMs, undefined, { signal });
    }
  }
}
