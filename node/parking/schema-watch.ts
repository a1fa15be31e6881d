/**
 * While keys are parked because rows can not be stored, the definitions of the tables are looked at: when one changes,
 * its keys are due, for the change may be what they waited for.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { tableDigests } from '../database/table-digest.ts';

export interface SchemaWatchOptions {
  readonly pool: pg.Pool;
  readonly everyMs?: number;
}

export class SchemaWatch {
  readonly #options: SchemaWatchOptions;
  /** By table: a digest of its definition. */
  #seen: ReadonlyMap<string, string> = new Map();

  constructor(options: SchemaWatchOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // The database being away is told elsewhere; the next look finds what changed meanwhile.
      await this.look().catch(() => {});
      await pause(this.#options.everyMs ?? 10_000, undefined, { signal }).catch(() => {});
    }
  }

  /** Nothing of its own to tell. */
  findings(): readonly never[] {
    return [];
  }

  /** Keys made due. */
  async look(): Promise<number> {
    const { pool } = this.#options;
    const { rows } = await pool.query<{ name: string }>(
      `select distinct p.schema_name || '.' || p.table_name as name from tributary.parked p where p.reason = 'row_failed'`,
    );
    const found = await tableDigests(
      async (text, values) => await pool.query(text, [...(values ?? [])]),
      rows.map(({ name }) => name),
    );
    const changed = [...found].flatMap(([name, digest]) => {
      const before = this.#seen.get(name);
      return before !== undefined && before !== digest ? [name] : [];
    });
    // A table of which nothing is parked any more is forgotten.
    this.#seen = found;
    if (changed.length === 0) {
      return 0;
    }
    const { rowCount } = await pool.query(
      `update tributary.parked p set retry_at = now()
       where p.reason = 'row_failed' and p.schema_name || '.' || p.table_name = any ($1::text[])`,
      [changed],
    );
    return rowCount ?? 0;
  }
}
