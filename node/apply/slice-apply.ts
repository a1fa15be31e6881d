/**
 * A slice into the local transaction that is open, in the cheapest way that works: as sets of new rows; as sets of rows
 * that may be here; split at source-transaction boundaries; at the end one change after the other.
 */
import { TributaryError } from '../errors.ts';
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
  /** The first rung that is tried; default: insert. */
  readonly from?: SetMode;
}

/** So few changes go faster one by one than by another try as sets. */
const stepsAtOnce = 16;

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
  if (options.from !== 'upsert') {
    if (await attempt(transactions, 'insert', options)) {
      await mark;
      await settle(session, [point.release]);
      return { replayed: false };
    }
    await settle(session, point.undo);
  }
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

/** Of another name, so that undoing it reaches past the savepoints left open in it. */
const wholeSavepoint = {
  mark: 'savepoint tributary_whole',
  undo: ['rollback to savepoint tributary_whole'],
  release: 'release savepoint tributary_whole',
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
  const [first] = transactions;
  if (transactions.length <= 1) {
    if (!first || !(await splitOne(first, options))) {
      await runSteps(transactions, work);
    }
    return;
  }
  for (const half of halves(transactions)) {
    await session.command(savepoint.mark);
    if (!(await attempt(half, 'upsert', options))) {
      await settle(session, savepoint.undo);
      await split(half, options);
    }
    await settle(session, [savepoint.release]);
  }
}

/**
 * A transaction of a middle node is a whole part of its child's: one value handed from row to row among its 20,000
 * changes must not make each of them two round trips. False, and undone: only the steps can judge it, because a row
 * in one half gets its out-of-line value in the other.
 */
async function splitOne(transaction: Transaction, options: SliceOptions): Promise<boolean> {
  const { session, work } = options;
  const own: Work = { ...work, tally: new Tally(), unenforced: new Map() };
  await session.command(wholeSavepoint.mark);
  try {
    await runHalves(transaction, { ...options, work: own });
  } catch (error) {
    if (!(error instanceof TributaryError && error.code === 'value_missing')) {
      throw error;
    }
    await settle(session, [...wholeSavepoint.undo, wholeSavepoint.release]);
    return false;
  }
  await settle(session, [wholeSavepoint.release]);
  merge(work, own);
  return true;
}

async function runHalves(transaction: Transaction, options: SliceOptions): Promise<void> {
  const { session, work } = options;
  if (transaction.changes.length <= stepsAtOnce) {
    await runSteps([transaction], work);
    return;
  }
  for (const changes of halves(transaction.changes)) {
    const half = { ...transaction, changes };
    await session.command(savepoint.mark);
    if (!(await attempt([half], 'upsert', options))) {
      await settle(session, savepoint.undo);
      await runHalves(half, options);
    }
    await settle(session, [savepoint.release]);
  }
}

function halves<T>(list: readonly T[]): readonly (readonly T[])[] {
  const middle = list.length >> 1;
  return [list.slice(0, middle), list.slice(middle)];
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
