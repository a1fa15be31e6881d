/**
 * The node beside a provider watches the slots that stand on its own server. A walsender whose slot passed the log bound
 * and that waits for a client which does not read can hold up the checkpointer, and the disk fills: it is ended.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { sqlFailure } from '../database/sqlstate.ts';
import type { Log } from '../log.ts';

export interface SlotFigures {
  readonly slot: string;
  readonly active: boolean;
  /** reserved, extended, unreserved, lost (pg_replication_slots). */
  readonly walStatus: string | null;
  /** Log kept for it. null: lost. */
  readonly retainedBytes: number | null;
  /** What may still be written before it is lost; null: no bound, or lost. */
  readonly safeWalBytes: number | null;
  /** Written but not confirmed by the subscriber. null: lost. */
  readonly confirmedLagBytes: number | null;
}

export interface SlotWatchOptions {
  /** The node's own database, as the writing role (pg_monitor, pg_signal_backend). */
  readonly pool: pg.Pool;
  readonly log: Log;
  readonly everyMs?: number;
}

interface SlotRow {
  slot: string;
  active: boolean;
  pid: number | null;
  wal_status: string | null;
  retained: string | null;
  safe: string | null;
  lag: string | null;
  stuck: boolean;
}

const secondLookMs = 200;

export class SlotWatch {
  readonly #pool: pg.Pool;
  readonly #log: Log;
  readonly #everyMs: number;
  #figures: readonly SlotFigures[] | null = null;
  #ended = 0;
  #failed = false;

  constructor(options: SlotWatchOptions) {
    this.#pool = options.pool;
    this.#log = options.log;
    this.#everyMs = options.everyMs ?? 5000;
  }

  /** As of the last look; null: not known, the database did not answer. */
  get figures(): readonly SlotFigures[] | null {
    return this.#figures;
  }

  /** Walsenders ended since the start. */
  get ended(): number {
    return this.#ended;
  }

  /** Looks every 5 s until told to stop; a failure of the database makes the figures unknown and is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.look();
        this.#failed = false;
      } catch (error) {
        this.#figures = null;
        if (!this.#failed) {
          this.#log.warn({ sqlstate: sqlFailure(error)?.sqlstate }, 'the slots cannot be watched');
        }
        this.#failed = true;
      }
      await pause(this.#everyMs, undefined, { signal }).catch(() => {});
    }
  }

  /** One look: reads the figures and ends what is stuck. */
  async look(): Promise<void> {
    const rows = await this.#read();
    this.#figures = rows.map(figures);
    for (const { slot, pid, stuck } of rows) {
      if (stuck && pid !== null) {
        await this.#end(slot, pid);
      }
    }
  }

  /**
   * The first signal may be what it already waits to report (the checkpointer sent one), and only a second one ends a
   * walsender that blocks while it sends its last error.
   */
  async #end(slot: string, pid: number): Promise<void> {
    this.#log.warn({ slot, pid }, 'a walsender past its log bound waits for its client: ending it');
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await this.#pool.query(
        `select pg_catalog.pg_terminate_backend(s.active_pid)
         from pg_catalog.pg_replication_slots s
         where s.slot_name = $1 and s.active_pid = $2`,
        [slot, pid],
      );
      await pause(secondLookMs);
    }
    this.#ended += 1;
  }

  async #read(): Promise<SlotRow[]> {
    const { rows } = await this.#pool.query<SlotRow>(
      `select
         s.slot_name::text as slot,
         s.active,
         s.active_pid as pid,
         s.wal_status,
         pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), s.restart_lsn)::text as retained,
         s.safe_wal_size::text as safe,
         pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), s.confirmed_flush_lsn)::text as lag,
         s.wal_status in ('unreserved', 'lost') and coalesce(a.wait_event = 'ClientWrite', false) as stuck
       from pg_catalog.pg_replication_slots s
       left join pg_catalog.pg_stat_activity a on a.pid = s.active_pid
       where s.slot_name like 'tributary\\_%' and s.database = pg_catalog.current_database()
       order by s.slot_name`,
    );
    return rows;
  }
}

function figures(row: SlotRow): SlotFigures {
  const lost = row.wal_status === 'lost';
  return {
    slot: row.slot,
    active: row.active,
    walStatus: row.wal_status,
    retainedBytes: lost || row.retained === null ? null : Number(row.retained),
    safeWalBytes: row.safe === null ? null : Number(row.safe),
    confirmedLagBytes: lost || row.lag === null ? null : Number(row.lag),
  };
}
