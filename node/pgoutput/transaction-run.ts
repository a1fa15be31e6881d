/**
 * Whole transactions that wait for apply one behind the other, as the frames they came in, from the Begin of the first to
 * the Commit of the last. Thousands of waiting objects would be copied and traced by the garbage collector again and
 * again, half of the time this process once took to drain a backlog; frames are memory it does not look into.
 */
import type { Assembled } from './assembler.ts';
import { eachFrame, type FrameRun } from './frames.ts';
import type { Lsn } from './lsn.ts';
import type { Begin, Relation } from './messages.ts';
import type { Step, Transaction } from './part.ts';
import { protocolError } from './reader.ts';
import { isRow, type RelationMap } from './row-change.ts';
import { StepReader } from './step-reader.ts';

export class TransactionRun {
  readonly #frames: FrameRun[] = [];
  /** In force at the first Begin, and behind the last Commit; neither is ever changed. */
  readonly #before: RelationMap;
  #after: RelationMap;
  /** Told inside the transactions, in their order. */
  readonly #told: Relation[] = [];
  #position: Lsn;
  #count = 0;
  #steps = 0;
  #bytes = 0;
  #cost = 0;

  constructor(first: Assembled) {
    this.#before = first.before;
    this.#after = first.before;
    this.#position = first.endLsn;
    this.add(first);
  }

  /** End of the last commit. */
  get position(): Lsn {
    return this.#position;
  }

  get transactionCount(): number {
    return this.#count;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Bytes of the messages between the Begins and the Commits. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What it occupies in memory, bytes. */
  get cost(): number {
    return this.#cost;
  }

  /**
   * Whether a transaction that begins under these relations can be read behind those that are here: a relation told between
   * two transactions has no frame.
   */
  precedes(before: RelationMap): boolean {
    return before === this.#after;
  }

  /** @param next which this run precedes, and which was not detached */
  add(next: Assembled): void {
    for (const run of next.frames) {
      const last = this.#frames.at(-1);
      if (last?.bytes === run.bytes && last.to === run.from) {
        this.#frames[this.#frames.length - 1] = { ...last, to: run.to };
      } else {
        this.#frames.push(run);
      }
    }
    next.told.forEach((relation) => this.#told.push(relation));
    this.#after = next.after;
    this.#position = next.endLsn;
    this.#count += 1;
    this.#steps += next.steps;
    this.#bytes += next.bytes;
    this.#cost += next.cost;
  }

  /** The transactions as objects, made anew by each call. @throws TributaryError protocol */
  read(): readonly Transaction[] {
    const transactions: Transaction[] = [];
    const reader = new StepReader(this.#before, this.#told.values());
    let begin: Begin | null = null;
    let steps: Step[] = [];
    let rowsOnly = true;
    const other = (bytes: Buffer, start: number, end: number): void => {
      const read = reader.other(bytes, start, end);
      if (read?.kind === 'begin') {
        begin = read;
        steps = [];
        rowsOnly = true;
      } else if (read?.kind === 'commit') {
        if (begin === null) {
          throw protocolError('commit', start);
        }
        const { xid } = begin;
        const { commitLsn, endLsn, commitTime } = read;
        transactions.push({ xid, commitLsn, endLsn, commitTime, changes: steps, rowsOnly });
      } else if (read) {
        rowsOnly = false;
        steps.push(read);
      }
    };
    for (const run of this.#frames) {
      const { bytes } = run;
      eachFrame(run, (start, end) => {
        if (isRow(bytes[start])) {
          steps.push(reader.row(bytes, start));
        } else {
          other(bytes, start, end);
        }
      });
    }
    return transactions;
  }
}
