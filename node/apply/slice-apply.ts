/**
 * A slice into the local transaction that is open, in the cheapest way that works: as sets of new rows; as sets of rows
 * that may be here; sifted, the rows that can not be stored set aside; and where only the order of the changes gets
 * them in, split at source-transaction boundaries and at the end one change after the other.
 */
import type { Transaction } from '../pgoutput/part.ts';
import { catalogueChanged, rowFails, replayable } from './failure.ts';
import type { Session } from './session.ts';
import { runSets, type SetMode } from './set-run.ts';
import { sift } from './sift.ts';
import { runSteps } from './step-run.ts';
import { Tally } from './tally.ts';
import { withoutTruncated } from './without-truncated.ts';
import { merge, type Work } from './work.ts';

export interface SliceOptions {
  readonly session: Session;
  readonly work: Work;
  /** The first slice needs no savepoint: nothing is lost by beginning the transaction anew. */
  readonly first: boolean;
  /** The catalogue was read anew for this part: failures of class 42 are not due to old statements. */
  readonly catalogueFresh: boolean;
  /** The first rung that is tried; default: insert. */
  readonly from?: SetMode | 'sift';
  /** As of `runSets`, for the first rung. Where that was needed again, what it sent was not done. */
  readonly ending?: () => void;
}

/** So few changes go faster one by one than by another try as sets. */
const stepsAtOnce = 16;

export const begin = 'begin isolation level read committed';

/** How often the ladder below its first rung was needed, and whether rows were at fault. */
export interface SliceResult {
  readonly replayed: boolean;
  readonly sifted: boolean;
}

/** @throws the database's error; TributaryError */
export async function applySlice(
  transactions: readonly Transaction[],
  options: SliceOptions,
): Promise<SliceResult> {
  const { session, first } = options;
  const point = first ? transactionItself : savepoint;
  const mark = send(session, point.mark);
  const { from = 'insert' } = options;
  let outcome: Attempted = from === 'sift' ? 'row' : 'misfit';
  if (from === 'insert') {
    outcome = await attempt(transactions, 'insert', options, options.ending);
    if (outcome === 'applied') {
      await mark;
      await settle(session, [point.release]);
      return { replayed: false, sifted: false };
    }
    await settle(session, point.undo);
  }
  if (outcome === 'misfit') {
    outcome = await attempt(transactions, 'upsert', options);
    if (outcome !== 'applied') {
      await settle(session, point.undo);
    }
  }
  if (outcome !== 'applied') {
    await sieve(transactions, options);
  }
  await settle(session, [point.release]);
  return { replayed: true, sifted: outcome === 'row' };
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

/** misfit: it does not go in as it is. row: because one row can not be stored. The caller undoes it. */
type Attempted = 'applied' | 'misfit' | 'row';

async function attempt(
  transactions: readonly Transaction[],
  mode: SetMode,
  { session, work, catalogueFresh }: SliceOptions,
  ending?: () => void,
): Promise<Attempted> {
  const own: Work = { ...work, tally: new Tally(), unenforced: new Map() };
  try {
    if ((await runSets(transactions, mode, own, ending)) === 'misfit') {
      return 'misfit';
    }
  } catch (error) {
    if (session.lost || !replayable(error) || (catalogueChanged(error) && !catalogueFresh)) {
      throw error;
    }
    return rowFails(error) ? 'row' : 'misfit';
  }
  merge(work, own);
  return 'applied';
}

/** What does not go in as sets, without the rows that can not be stored. */
async function sieve(transactions: readonly Transaction[], options: SliceOptions): Promise<void> {
  const { session, work } = options;
  const { parking } = work;
  const mark = send(session, wholeSavepoint.mark);
  if ((await sift(transactions, work, { last: false })) === 'ordered') {
    await settle(session, wholeSavepoint.undo);
    await split(transactions, options);
  }
  if (parking.suspends) {
    const again = withoutTruncated(transactions);
    await sift(again, { ...work, taking: parking.resume() }, { last: true });
  }
  await mark;
  await settle(session, [wholeSavepoint.release]);
}

async function split(transactions: readonly Transaction[], options: SliceOptions): Promise<void> {
  const [first] = transactions;
  if (first && transactions.length === 1) {
    await splitOne(first, options);
    return;
  }
  for (const half of halves(transactions)) {
    await tryOr(half, options, async () => await split(half, options));
  }
}

/**
 * A transaction of a middle node is a whole part of its child's: one value handed from row to row among its 5,000
 * changes must not make each of them two round trips.
 */
async function splitOne(transaction: Transaction, options: SliceOptions): Promise<void> {
  if (transaction.changes.length <= stepsAtOnce) {
    await runSteps([transaction], options.work);
    return;
  }
  for (const changes of halves(transaction.changes)) {
    const half = { ...transaction, changes };
    await tryOr([half], options, async () => await splitOne(half, options));
  }
}

async function tryOr(
  transactions: readonly Transaction[],
  options: SliceOptions,
  otherwise: () => Promise<void>,
): Promise<void> {
  const { session } = options;
  await session.command(savepoint.mark);
  if ((await attempt(transactions, 'upsert', options)) !== 'applied') {
    await settle(session, savepoint.undo);
    await otherwise();
  }
  await settle(session, [savepoint.release]);
}

function halves<T>(list: readonly T[]): readonly (readonly T[])[] {
  const middle = list.length >> 1;
  return [list.slice(0, middle), list.slice(middle)];
}

/** Not waited for: the statements sent behind it are one round trip with it. */
function send(session: Session, command: string): Promise<void> {
  const answer = session.command(command);
  answer.catch(() => {});
  return answer;
}

async function settle(session: Session, commands: readonly string[]): Promise<void> {
  await Promise.all(
    commands.filter((one) => one !== '').map(async (one) => await session.command(one)),
  );
}
