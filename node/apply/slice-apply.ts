/**
 * A slice into the local transaction that is open, in the cheapest way that works: as sets of new rows; as sets of rows
 * that may be here; split at source-transaction boundaries; at the end one change after the other.
 */
import type { Transaction } from '../pgoutput/part.ts';
import { catalogueChanged, replayable } from './failure.ts';
import type { Session } from './session.ts';
import { runSets, type SetMode } from './set-run.ts';
import { runSteps } from './step-run.ts';
import { Tally } from './tally.ts';
import type { Work } from './work.ts';

export interface SliceOptions {
  readonly session: Session;
  readonly work: Work;
  /** The first slice needs no savepoint: nothing is lost by beginning the transaction anew. */
  readonly first: boolean;
  /** The catalogue was read anew for this part: failures of class 42 are not due to old statements. */
  readonly catalogueFresh: boolean;
}

export const begin = 'begin isolation level read committed';

/** How often the ladder below its first rung was needed. */
export interface SliceResult {
  readonly replayed: boolean;
}

/** @throws the database's error; TributaryError */
export async function applySlice(
  transactions: readonly Transaction[],
  options: SliceOptions,
): Promise<SliceResult> {
  const { session, first } = options;
  const point = first ? transactionItself : savepoint;
  const mark = send(session, point.mark);
  if (await attempt(transactions, 'insert', options)) {
    await mark;
    await settle(session, [point.release]);
    return { replayed: false };
  }
  await settle(session, point.undo);
  if (await attempt(transactions, 'upsert', options)) {
    await settle(session, [point.release]);
    return { replayed: true };
  }
  await settle(session, point.undo);
  await split(transactions, options);
  await settle(session, [point.release]);
  return { replayed: true };
}

const savepoint = {
  mark: 'savepoint tributary',
  undo: ['rollback to savepoint tributary'],
  release: 'release savepoint tributary',
};

const transactionItself = { mark: begin, undo: ['rollback', begin], release: '' };

/** False when the set does not go in as it is: the caller undoes and goes one rung down. */
async function attempt(
  transactions: readonly Transaction[],
  mode: SetMode,
  { session, work, catalogueFresh }: SliceOptions,
): Promise<boolean> {
  const own: Work = { ...work, tally: new Tally(), unenforced: new Map() };
  try {
    if ((await runSets(transactions, mode, own)) === 'misfit') {
      return false;
    }
  } catch (error) {
    if (session.lost || !replayable(error) || (catalogueChanged(error) && !catalogueFresh)) {
      throw error;
    }
    return false;
  }
  merge(work, own);
  return true;
}

async function split(transactions: readonly Transaction[], options: SliceOptions): Promise<void> {
  const { session, work } = options;
  if (transactions.length <= 1) {
    await runSteps(transactions, work);
    return;
  }
  const middle = transactions.length >> 1;
  for (const half of [transactions.slice(0, middle), transactions.slice(middle)]) {
    await session.command(savepoint.mark);
    if (!(await attempt(half, 'upsert', options))) {
      await settle(session, savepoint.undo);
      await split(half, options);
    }
    await settle(session, [savepoint.release]);
  }
}

function merge(into: Work, from: Work): void {
  into.tally.add(from.tally);
  for (const [layout, tuples] of from.unenforced) {
    const noted = into.unenforced.get(layout) ?? [];
    const all = noted === 'all' || tuples === 'all';
    into.unenforced.set(layout, all ? 'all' : [...noted, ...tuples]);
  }
}

/** Not waited for: the statements sent behind it are one round trip with it. */
function send(session: Session, command: string): Promise<void> {
  const answer = session.command(command);
  answer.catch(() => {});
  return answer;
}

async function settle(session: Session, commands: readonly string[]): Promise<void> {
  for (const command of commands) {
    if (command) {
      await session.command(command);
    }
  }
}
