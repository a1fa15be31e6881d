/**
 * Exactly one process serves a node: the one that holds an advisory lock in the node's own database, on a connection
 * of its own. A second one asks every second and takes over. The lock only keeps order; what stops a process that does
 * not know yet that it lost the lock is the epoch in the position update.
 */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { clientConfig, type ConnectOptions } from '../database/connect.ts';
import { localError } from '../database/local-error.ts';
import type { TributaryError } from '../errors.ts';
import type { Log } from '../log.ts';
import { restartAfter } from './restart-policy.ts';

export const leaderLock = 8390322045806929234n;

/** Rows of pg_locks by which it is held; $1: the lock. */
export const isLeaderLock = `locktype = 'advisory' and granted and objsubid = 1
  and (classid::bigint << 32 | objid::bigint) = $1`;

export type LeaderState = 'connecting' | 'waiting' | 'leading';

export interface LeaderOptions {
  readonly connect: ConnectOptions;
  readonly log: Log;
  /** `error`: why this process does not lead, when it is not merely waiting for its turn. */
  readonly changed: (state: LeaderState, error: TributaryError | null) => void;
  /** Asked for at every wait after a failure; ends the wait. */
  readonly wake?: () => AbortSignal;
}

const askMs = 1000;
/** Between two looks whether the lock is still held. */
const lookMs = 5000;
/** The server gives away the lock of a process that it has not heard for so long: four looks. */
const stillMs = 20_000;
/**
 * A look that takes longer counts as lost. Not sooner than the server: a machine that has hundreds of streams to begin
 * answers late, and would have them all to begin anew.
 */
const patienceMs = stillMs - lookMs;

/**
 * Waits for the lock, runs `term` while it is held, and waits again when it was lost or another process fenced this
 * one. Resolves when told to stop. The signal of a term aborts at once when the lock's connection ends.
 */
export async function lead(
  options: LeaderOptions,
  term: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  let last: TributaryError | null = null;
  while (!signal.aborted) {
    // Trying again is no news: the reason stands until the lock is held or another process has it.
    options.changed('connecting', last);
    try {
      await holdLock(options, term, signal);
      failures = 0;
      last = null;
    } catch (thrown) {
      last = localError(thrown);
      failures = last.code === 'fenced' ? 0 : failures + 1;
      options.changed('connecting', last);
      const { delayMs } = restartAfter('database_unreachable', failures, Math.random());
      const wake = options.wake ? [options.wake()] : [];
      const either = AbortSignal.any([signal, ...wake]);
      await pause(delayMs, undefined, { signal: either }).catch(() => {});
    }
  }
}

async function holdLock(
  options: LeaderOptions,
  term: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const client = new pg.Client({
    ...clientConfig({
      ...options.connect,
      // A process that stands still asks nothing: the server then gives its lock away. Stated here, so that no default
      // of the server ends the one connection whose end stops everything.
      settings: {
        ...options.connect.settings,
        idle_session_timeout: stillMs,
        statement_timeout: 0,
      },
    }),
    query_timeout: patienceMs,
  });
  const lost = new AbortController();
  client.on('error', () => lost.abort());
  client.on('end', () => lost.abort());
  const ends = AbortSignal.any([signal, lost.signal]);
  try {
    await client.connect();
    if (!(await takeLock(client, options, ends))) {
      return;
    }
    options.changed('leading', null);
    const watching = watchLock(client, lost, ends);
    try {
      await term(ends);
    } finally {
      lost.abort();
      await watching;
    }
  } finally {
    await closeSoon(client);
  }
}

/**
 * Asks again and again instead of waiting inside PostgreSQL: a statement that waits for days would hold back vacuum
 * and the slots of this database as long. False: told to stop, or the connection ended.
 */
async function takeLock(
  client: pg.Client,
  { changed, log }: LeaderOptions,
  signal: AbortSignal,
): Promise<boolean> {
  let said = false;
  while (!signal.aborted) {
    const { rows } = await client.query<{ held: boolean }>(
      `select pg_try_advisory_lock($1) as held`,
      [String(leaderLock)],
    );
    if (rows[0]?.held) {
      return true;
    }
    if (!said) {
      said = true;
      changed('waiting', null);
      log.info({}, 'another process serves this node; waiting for its turn');
    }
    await pause(askMs, undefined, { signal }).catch(() => {});
  }
  return false;
}

/** A connection that a firewall forgot never says that it ended; and a pooler in between may give the lock away. */
async function watchLock(
  client: pg.Client,
  lost: AbortController,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await pause(lookMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) {
      return;
    }
    try {
      const { rowCount } = await client.query(
        `select from pg_locks where pid = pg_backend_pid() and ${isLeaderLock}`,
        [String(leaderLock)],
      );
      if (rowCount === 0) {
        lost.abort();
      }
    } catch {
      lost.abort();
    }
  }
}

/** Ends the connection, by force when the server does not answer. */
async function closeSoon(client: pg.Client): Promise<void> {
  const deadline = new AbortController();
  await Promise.race([
    client.end().catch(() => {}),
    pause(1000, undefined, { signal: deadline.signal }).catch(() => {}),
  ]);
  deadline.abort();
}
