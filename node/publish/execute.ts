/**
 * Runs statements one by one so that the application never waits for one longer than a short time: what takes a lock
 * has a budget from its first command to its commit, gives up when the budget is spent, and asks again later.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { sqlFailure } from '../database/sqlstate.ts';
import { TributaryError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type Statement, sqlOf } from './statement.ts';

export interface ExecuteOptions {
  readonly log: Log;
  /** The longest an application's statement may wait for one of ours. */
  readonly lockTimeoutMs: number;
  /** performance.now() after which nothing is begun again. */
  readonly deadline: number;
  readonly signal?: AbortSignal;
}

/** done, or the catalogue is not what the plan was made for: read it again and plan anew. */
export type Outcome = 'done' | 'replan';

/** Lock not available, cancelled by statement timeout, deadlock, serialisation: the same statement may succeed later. */
const busy = new Set(['55P03', '57014', '40P01', '40001', '55006']);

/** Somebody else made or took away the same thing meanwhile. */
const clash = new Set(['23505', '42710', '42P06', '42P07', '42704', '42P01', '42701', 'XX000']);

/** @throws TributaryError prepare_blocked after the deadline; prepare_failed for an error that will repeat. */
export async function execute(
  client: pg.ClientBase,
  one: Statement,
  options: ExecuteOptions,
): Promise<Outcome> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await (one.transaction ? within(client, one, options) : byItself(client, one, options));
      return 'done';
    } catch (error) {
      const sqlstate = sqlFailure(error)?.sqlstate ?? null;
      if (sqlstate !== null && clash.has(sqlstate) && attempt < 3) {
        return 'replan';
      }
      if (sqlstate === null || !busy.has(sqlstate)) {
        throw failed(one, error);
      }
      await backOff(one, attempt, { ...options, cause: error });
      if (!one.transaction) {
        return 'replan';
      }
    }
  }
}

async function within(
  client: pg.ClientBase,
  one: Statement,
  options: ExecuteOptions,
): Promise<void> {
  const end = performance.now() + options.lockTimeoutMs;
  await client.query('begin');
  try {
    for (const command of one.commands) {
      // Each command may wait for several locks while it holds others, so the whole is timed, not each wait alone.
      const left = Math.max(1, Math.ceil(one.cost === 'none' ? 60_000 : end - performance.now()));
      await client.query(
        `set local lock_timeout = ${Math.min(left, options.lockTimeoutMs)}; set local statement_timeout = ${left}`,
      );
      await client.query(command);
    }
    // crash point: step-run
    await client.query('commit');
    // crash point: step-committed
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

/**
 * Building an index concurrently waits for every older transaction, holding nothing that the application asks for; to
 * give up early would only throw the work away.
 */
async function byItself(
  client: pg.ClientBase,
  one: Statement,
  options: ExecuteOptions,
): Promise<void> {
  const left = Math.max(1, Math.ceil(options.deadline - performance.now()));
  await client.query(`set lock_timeout = 0; set statement_timeout = ${left}`);
  try {
    for (const command of one.commands) {
      await client.query(command);
    }
  } finally {
    await client.query('reset lock_timeout; reset statement_timeout').catch(() => {});
  }
}

async function backOff(
  one: Statement,
  attempt: number,
  options: ExecuteOptions & { readonly cause: unknown },
): Promise<void> {
  const delayMs = Math.min(30_000, options.lockTimeoutMs * 2 ** Math.min(attempt - 1, 4));
  if (performance.now() + delayMs > options.deadline || options.signal?.aborted) {
    throw new TributaryError(
      'prepare_blocked',
      { attempts: attempt, statement: firstLine(one) },
      { cause: options.cause },
    );
  }
  options.log.info(
    { attempt, delayMs, statement: firstLine(one) },
    'a lock is held by somebody else; asking again later',
  );
  await pause(delayMs, undefined, options.signal ? { signal: options.signal } : {});
}

function failed(one: Statement, error: unknown): TributaryError {
  const failure = sqlFailure(error);
  if (failure?.socket !== null && failure !== null) {
    return new TributaryError('database_unreachable', { socket: failure.socket }, { cause: error });
  }
  return new TributaryError(
    failure === null ? 'internal' : 'prepare_failed',
    {
      sqlstate: failure?.sqlstate ?? null,
      table: failure?.table ?? null,
      reason:
        failure?.sqlstate === '42501'
          ? 'this login may not: run it as the one that prepared the database, or as a superuser'
          : null,
      statement: firstLine(one),
    },
    { cause: error },
  );
}

function firstLine(one: Statement): string {
  return (sqlOf({ ...one, transaction: false }).split('\n')[0] ?? '').slice(0, 200);
}
