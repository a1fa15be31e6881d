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
/**
 * The server gives away the lock of a process that it has not heard for so long. Of a process that died it knows at once;
 * this is for one that stands still, and long, because one that merely gets too little processor looks like it: with 512
 * children that all wrote and 17 processes that wanted to run on two cores, one turn of the event loop took 2.8 s of
 * processor and 19 to 25 s of time. With 20 s the lock was lost, and all streams had to begin anew on that machine.
 */
const stillMs = 60_000;
/** A look that takes longer counts as lost: not sooner than the server gives the lock away, for the same reason. */
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
  client.on('error', () => lost.abort('its session broke'));
  client.on('end', () => lost.abort('its session ended'));
  const ends = AbortSignal.any([signal, lost.signal]);
  const over = new AbortController();
  let watching: Promise<void> | null = null;
  try {
    await client.connect();
    if (!(await takeLock(client, options, ends))) {
      return;
    }
    options.changed('leading', null);
    const told = { once: true, signal: over.signal };
    lost.signal.addEventListener('abort', () => tellLost(options.log, lost.signal), told);
    watching = watchLock(client, lost, AbortSignal.any([ends, over.signal]));
    await term(ends);
  } finally {
    over.abort();
    // Before the watch has ended: its look may wait for an answer that never comes, and ends with the connection.
    await closeSoon(client);
    await watching;
  }
}

function tellLost(log: Log, { reason }: AbortSignal): void {
  log.warn({ why: reason }, 'the lock is lost that says who serves: all streams begin again');
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
        lost.abort('another session may hold it');
      }
    } catch {
      lost.abort('its session does not answer');
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
