/**
 * Beside a stream that runs: makes equal what is wanted of its tables, one after the other, until told to stop. A table
 * that fails leaves the others and the stream alone, and is tried again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ReplicatedTable } from '../config/model.ts';
import { localError } from '../database/local-error.ts';
import type { SharedLooks } from '../database/shared-looks.ts';
import type { Query } from '../database/query.ts';
import {
  loadReconcile,
  noteComplete,
  type ReconcileRow,
  stopTable,
  wantBlocked,
  wantNew,
} from '../database/reconcile-tables.ts';
import type { Log } from '../log.ts';
import { type Parked, tableText } from '../parking/parked-key.ts';
import { block, unblock } from '../parking/blocked-table.ts';
import { dueKeys } from '../parking/parked-table.ts';
import { driftOfError } from '../parking/table-drift.ts';
import type { ProviderTable } from '../provider/provider.ts';
import { Definitions } from './definitions.ts';
import type { HandOver } from './hand-over.ts';
import { RetryTimes } from './retry-times.ts';
import type { StreamSide } from './stream-side.ts';
import { references } from './references.ts';
import { inOrder, type OrderedTable } from './table-order.ts';
import { keysAtOnce, settle } from './settle.ts';
import { TableSides } from './table-sides.ts';
import { walkTable } from './table-walk.ts';

export interface ReconcilerOptions {
  readonly stream: StreamSide;
  /** The replication set, heartbeat and audit included. */
  readonly tables: readonly ReplicatedTable[];
  /** This node's own database. */
  readonly query: Query;
  /** The same for what takes as long as a table is large: no limit of time but the signal. */
  readonly patient: (signal: AbortSignal) => Query;
  readonly looks: SharedLooks;
  readonly handOver: HandOver;
  readonly log: Log;
  /** What is complete here has changed. */
  readonly completenessChanged: () => void;
}

/** How often it is looked for new work; a person's word comes by the database. */
const lookMs = 2000;
const retryEveryMs = 100;

/** Design: 1,000 rows, or 1 % of the subtree's rows in the table. */
const removals = 1000;

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #failures = new RetryTimes();
  readonly #sides: TableSides;
  readonly #definitions: Definitions;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#sides = new TableSides(options);
    this.#definitions = new Definitions({
      ...options,
      published: async () => await this.#sides.published(),
    });
  }

  /** Resolves when told to stop; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    // A question that is under way would else be waited for.
    const abandon = (): void => void this.#sides.close();
    signal.addEventListener('abort', abandon, { once: true });
    let said: string | null = null;
    try {
      while (!signal.aborted) {
        const worked = await this.#round(signal).then(
          (did) => {
            said = null;
            return did;
          },
          (error: unknown) => {
            const { code } = localError(error);
            // What all streams ask together fails for all of them, every other second.
            if (code !== said) {
              this.#say(error);
            }
            said = code;
            return false;
          },
        );
        if (!worked) {
          await pause(lookMs, undefined, { signal }).catch(() => {});
        }
      }
    } finally {
      signal.removeEventListener('abort', abandon);
      await this.#sides.close();
    }
  }

  /** False: there was nothing to do. */
  async #round(signal: AbortSignal): Promise<boolean> {
    const { query, stream, looks } = this.#options;
    const { provider } = stream.scope;
    const retried = await this.#retryParked(signal);
    await this.#wantBlocked();
    await this.#lookAtDefinitions();
    await this.#options.handOver.look(async () => await this.#sides.published());
    if (!(await looks.hasOpenWork(provider))) {
      if (!retried) {
        await this.#sides.close();
      }
      return retried;
    }
    const reason = await this.#incomplete();
    let rows = await loadReconcile(query, provider);
    const isNew = reason !== null && rows.every(isDone);
    if (!isNew && !rows.some((row) => isOpen(row) && this.#failures.isDue(tableText(row)))) {
      if (!retried) {
        await this.#sides.close();
      }
      return retried;
    }
    const published = await this.#sides.published();
    if (reason !== null) {
      await wantNew(query, provider, { tables: published, reason });
      rows = await loadReconcile(query, provider);
      if (rows.length > 0 && rows.every(isDone)) {
        // The last table that was open was taken out of the file.
        await noteComplete(query, provider);
        this.#options.completenessChanged();
      }
    }
    const due = rows.filter((row) => isOpen(row) && this.#failures.isDue(tableText(row)));
    const ordered = await this.#order(due, published);
    for (const { row } of ordered) {
      signal.throwIfAborted();
      await this.#table(row, published, signal);
    }
    return retried || ordered.length > 0;
  }

  /** Parked keys whose time has come: their rows are read again and put. False: none was tried. */
  async #retryParked(signal: AbortSignal): Promise<boolean> {
    const { query, stream, log } = this.#options;
    if (stream.parked.quiet) {
      return false;
    }
    const without = this.#failures.waiting;
    const due = await dueKeys(query, stream.scope.provider, { most: keysAtOnce, without });
    if (due.length === 0) {
      return false;
    }
    const published = await this.#sides.published();
    for (const [name, keys] of Map.groupBy(due, ({ table }) => tableText(table))) {
      const [{ table }] = keys as [Parked, ...Parked[]];
      try {
        const side = await this.#sides.open(table, published, signal);
        // crash point: retry-due
        await settle(side, { keys: keys.map(({ key }) => key), changes: 'write', parked: true });
        // crash point: retry-put
        this.#options.completenessChanged();
      } catch (error) {
        signal.throwIfAborted();
        this.#failures.fail(name);
        this.#say(error, { stream: stream.scope.provider, table: name });
        await this.#sides.close();
      }
    }
    log.debug({ stream: stream.scope.provider, keys: due.length }, 'parked keys were tried again');
    // Keys that the stream touched meanwhile stay due: not at once, or both wait for each other.
    await pause(retryEveryMs, undefined, { signal });
    return true;
  }

  async #lookAtDefinitions(): Promise<void> {
    // The provider not answering is said where rows of it are needed.
    await this.#definitions.look().catch(() => {});
    for (const table of await this.#definitions.changedHere(this.#failures.names)) {
      this.#failures.forget(table);
    }
  }

  async #wantBlocked(): Promise<void> {
    const { query, stream } = this.#options;
    for (const name of stream.parked.blocked) {
      const [schema = '', ...rest] = name.split('.');
      const at = { provider: stream.scope.provider, schema, name: rest.join('.') };
      await wantBlocked(query, at);
    }
  }

  async #incomplete(): Promise<string | null> {
    const { query, stream } = this.#options;
    const { rows } = await query(`select incomplete from tributary.stream where provider = $1`, [
      stream.scope.provider,
    ]);
    return (rows as { incomplete: string | null }[])[0]?.incomplete ?? null;
  }

  async #order(
    rows: readonly ReconcileRow[],
    published: readonly ProviderTable[],
  ): Promise<readonly (OrderedTable & { readonly row: ReconcileRow })[]> {
    const { query } = this.#options;
    if (rows.length === 0) {
      return [];
    }
    const reader = await this.#sides.reader();
    await using view = await reader.look();
    const referred = await references(query, rows);
    const ordered: (OrderedTable & { readonly row: ReconcileRow })[] = [];
    for (const row of rows) {
      const { schema, name } = row;
      const known = published.some((each) => each.schema === schema && each.name === name);
      const estimated = known ? await view.estimate({ schema, name, columns: [], key: [] }) : 0;
      const full = `${schema}.${name}`;
      ordered.push({ name: full, estimated, refersTo: referred.get(full) ?? [], row });
    }
    return inOrder(ordered);
  }

  async #table(
    row: ReconcileRow,
    published: readonly ProviderTable[],
    signal: AbortSignal,
  ): Promise<void> {
    const { log, query } = this.#options;
    const table = `${row.schema}.${row.name}`;
    const fields = { stream: row.provider, table, reason: row.reason };
    try {
      const side = await this.#sides.open(row, published, signal);
      await this.#takeBack(row);
      log.info(fields, 'a table is being made equal');
      const end = await walkTable(side, {
        row,
        removals,
        pace: async () => await this.#pace(signal),
      });
      this.#failures.forget(table);
      this.#options.completenessChanged();
      if (end === 'held') {
        log.warn(fields, 'more rows differ than may be overwritten or removed without a word');
      } else if (end === 'equal') {
        log.info(fields, 'a table is equal');
      }
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      const { code } = localError(error);
      this.#failures.fail(table);
      this.#say(error, fields);
      await this.#sides.close();
      await stopTable(query, row, { state: 'failed', failure: code }).catch(() => {});
      await this.#noteDrift(error, published).catch(() => {});
    }
  }

  /** The stream leaves the table alone too: what it may have missed is found when the table is equal again. */
  async #noteDrift(error: unknown, published: readonly ProviderTable[]): Promise<void> {
    const found = driftOfError(error);
    if (found && published.some((each) => tableText(each) === tableText(found.table))) {
      const { query, stream } = this.#options;
      await stream.parked.exclusive(async () => {
        await block(query, stream.scope.provider, found);
        stream.parked.block(found.table);
      });
    }
  }

  /**
   * A table that the stream left alone is the stream's again from here on: what it left out, every later snapshot sees.
   */
  async #takeBack(row: ReconcileRow): Promise<void> {
    const { query, stream } = this.#options;
    if (stream.parked.isBlocked(tableText(row))) {
      await stream.parked.exclusive(async () => {
        stream.applier.forgetTables();
        // It may have been blocked since it was looked for.
        await wantBlocked(query, row);
        await unblock(query, row.provider, row);
        stream.parked.unblock(row);
      });
    }
  }

  /** The stream comes first: while it is behind, ranges wait a little. */
  async #pace(signal: AbortSignal): Promise<void> {
    const { queuedBytes } = this.#options.stream.provider.progress();
    if (queuedBytes > 1 << 20) {
      await pause(200, undefined, { signal });
    }
  }

  #say(error: unknown, fields: Readonly<Record<string, string>> = {}): void {
    if (!isAbort(error)) {
      const { code, context, advice } = localError(error);
      this.#options.log.warn(
        { ...fields, ...context, code, advice },
        'a table was not made equal; it is tried again',
      );
    }
  }
}

function isOpen({ state }: ReconcileRow): boolean {
  return state === 'wanted' || state === 'running' || state === 'failed';
}

function isDone({ state }: ReconcileRow): boolean {
  return state === 'done';
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
