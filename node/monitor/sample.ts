/**
 * What is asked of the node's own database for status, metrics and heartbeat. A sample is kept for a second, so that
 * scrapes cost the database nothing; one that could not be taken is older data and says so.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { readCopies, type Copy } from '../database/copies.ts';
import { readDayRates, type DayRates } from '../database/day-rates.ts';
import { readFreshness, type Freshness } from '../database/freshness.ts';
import { readDoubts, type MetDoubt } from '../database/doubts.ts';
import { localError } from '../database/local-error.ts';
import { loadStreams, type StreamRow } from '../database/streams.ts';
import { readSubtree, type SubtreeHeartbeat } from '../database/subtree.ts';
import type { TributaryDatabase } from '../database/tables.ts';
import { loadVerify, type VerifyRow } from '../database/verify-tables.ts';
import { TributaryError } from '../errors.ts';
import {
  allBlocked,
  allPartial,
  type Blocked,
  type PartialTable,
} from '../parking/blocked-table.ts';
import { countParked, type ParkedCount, type ParkQuery } from '../parking/parked-table.ts';
import { readDisk, type Disk } from './disk.ts';

export interface Sample {
  /** performance.now() when the database last answered; null: never. */
  readonly at: number | null;
  /** Why it does not answer now; null: it does. */
  readonly error: TributaryError | null;
  /** Ages as of `at`. */
  readonly freshness: readonly Freshness[];
  /** What the nodes below last said of themselves. */
  readonly subtree: readonly SubtreeHeartbeat[];
  readonly streams: readonly StreamRow[];
  /** Tables that are being made equal, or were. */
  readonly copies: readonly Copy[];
  /** Tables that were compared with the provider's, or are being. */
  readonly verified: readonly VerifyRow[];
  readonly parked: readonly ParkedCount[];
  /** Tables a stream leaves alone. */
  readonly blocked: readonly Blocked[];
  /** Tables whose rows go in without some columns. */
  readonly partial: readonly PartialTable[];
  /** Doubts about children that were met by a new slot. */
  readonly doubts: readonly MetDoubt[];
  readonly slots: readonly Slot[];
  /** Position of the log's end; null: not known yet. */
  readonly walWrittenBytes: number | null;
  /** null: not allowed to see. */
  readonly walDirectoryBytes: number | null;
  readonly disk: Disk | null;
  /** null: not asked yet. */
  readonly rates: DayRates | null;
}

/** A row of pg_replication_slots, ours or another's in the same cluster: whoever holds the log, it fills this disk. */
export interface Slot {
  readonly name: string;
  readonly type: string;
  readonly active: boolean;
  readonly walStatus: string | null;
  readonly retainedBytes: number | null;
  readonly unconfirmedBytes: number | null;
  /** null: no bound is set, or the slot is lost. */
  readonly safeWalBytes: number | null;
}

export interface SamplerOptions {
  readonly pool: pg.Pool;
  readonly database: TributaryDatabase;
  readonly diskPath: () => string | null;
}

const keptMs = 1000;
/** Rates of a day do not change by the second. */
const ratesKeptMs = 10_000;
/** A question waits this long for the database; then the last sample is given, with the reason. */
const patienceMs = 2000;

const nothing: Sample = {
  at: null,
  error: null,
  freshness: [],
  subtree: [],
  streams: [],
  copies: [],
  verified: [],
  parked: [],
  blocked: [],
  partial: [],
  doubts: [],
  slots: [],
  walWrittenBytes: null,
  walDirectoryBytes: null,
  disk: null,
  rates: null,
};

export class Sampler {
  readonly #options: SamplerOptions;
  #sample = nothing;
  #triedAt = Number.NEGATIVE_INFINITY;
  #ratesAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | null = null;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  /** The last sample, without asking. */
  get last(): Sample {
    return this.#sample;
  }

  /** A sample at most a second old, or the last one with the reason why there is no newer. Never rejects. */
  async fresh(): Promise<Sample> {
    if (performance.now() - this.#triedAt < keptMs) {
      return this.#sample;
    }
    const late = new AbortController();
    const sample = await Promise.race([
      this.now(),
      pause(patienceMs, null, { signal: late.signal }).catch(() => null),
    ]);
    late.abort();
    return sample ?? { ...this.#sample, error: this.#sample.error ?? silent() };
  }

  /** A sample taken now. Never rejects. */
  async now(): Promise<Sample> {
    this.#running ??= this.#take().finally(() => {
      this.#running = null;
    });
    await this.#running;
    return this.#sample;
  }

  async #take(): Promise<void> {
    const { pool, database, diskPath } = this.#options;
    const disk = await readDisk(diskPath());
    try {
      const slots = await readSlots(pool);
      const walWrittenBytes = await readWalWritten(pool);
      const walDirectoryBytes = await readWalDirectory(pool);
      this.#sample = {
        ...this.#sample,
        at: performance.now(),
        error: null,
        slots,
        walWrittenBytes,
        walDirectoryBytes,
      };
      const streams = await loadStreams(database);
      const freshness = await readFreshness(database);
      const subtree = await readSubtree(database);
      const rates = await this.#rates();
      const query: ParkQuery = async (text, values) => await pool.query(text, [...(values ?? [])]);
      const parked = await countParked(query);
      const blocked = await allBlocked(query);
      const partial = await allPartial(query);
      const doubts = await readDoubts(query);
      const verified = await loadVerify(query, null);
      const at = performance.now();
      const copies = await readCopies(database);
      const told = { copies, verified, parked, blocked, partial, doubts };
      const asked = { streams, freshness, subtree, rates, ...told };
      this.#sample = { ...this.#sample, ...asked, at, disk };
    } catch (error) {
      this.#sample = { ...this.#sample, error: localError(error), disk };
    }
    this.#triedAt = performance.now();
  }

  async #rates(): Promise<DayRates | null> {
    if (performance.now() - this.#ratesAt < ratesKeptMs) {
      return this.#sample.rates;
    }
    const rates = await readDayRates(this.#options.database);
    this.#ratesAt = performance.now();
    return rates;
  }
}

function silent(): TributaryError {
  return new TributaryError('database_unreachable', { silentMs: patienceMs });
}

async function readSlots(pool: pg.Pool): Promise<Slot[]> {
  const { rows } = await pool.query<Slot>(`
    select
      slot_name::text as name,
      slot_type as type,
      active,
      wal_status as "walStatus",
      pg_wal_lsn_diff(pg_current_wal_insert_lsn(), restart_lsn)::float8 as "retainedBytes",
      pg_wal_lsn_diff(pg_current_wal_insert_lsn(), confirmed_flush_lsn)::float8 as "unconfirmedBytes",
      safe_wal_size::float8 as "safeWalBytes"
    from pg_replication_slots
    where database = current_database() or database is null
    order by slot_name`);
  return rows;
}

async function readWalWritten(pool: pg.Pool): Promise<number | null> {
  const { rows } = await pool.query<{ bytes: number }>(
    `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as bytes`,
  );
  return rows[0]?.bytes ?? null;
}

async function readWalDirectory(pool: pg.Pool): Promise<number | null> {
  const { rows } = await pool.query<{ allowed: boolean }>(
    `select has_function_privilege('pg_ls_waldir()', 'execute') as allowed`,
  );
  if (!rows[0]?.allowed) {
    return null;
  }
  const sum = await pool.query<{ bytes: number | null }>(
    `select sum(size)::float8 as bytes from pg_ls_waldir()`,
  );
  return sum.rows[0]?.bytes ?? null;
}
