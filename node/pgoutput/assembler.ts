/**
 * Messages in, whole transactions out. A transaction larger than its caller wants in memory is detached: its frames
 * are handed out as they come and only its outline is returned at its commit.
 */
import { decodeMessage } from './decode.ts';
import { Arena } from './frames.ts';
import type { Lsn } from './lsn.ts';
import type { Begin, Commit, Relation } from './messages.ts';
import type { Step, Transaction } from './part.ts';
import { protocolError } from './reader.ts';
import { isRow, RowChange } from './row-change.ts';
import type { RelationMap } from './row-change.ts';

/** What a step costs in memory besides its bytes: measured about 120 bytes with its place in the array. */
const stepOverhead = 128;

export interface Assembled {
  /** Without steps when it was detached. */
  readonly transaction: Transaction;
  readonly detached: boolean;
  /** Bytes of its messages. */
  readonly bytes: number;
  /** What it occupies in memory. */
  readonly cost: number;
}

export class Assembler {
  readonly #arena = new Arena();
  readonly #relations = new Map<number, Relation>();
  #begin: Begin | null = null;
  #steps: Step[] = [];
  #bytes = 0;
  #held = 0;
  #relationsAtBegin: RelationMap | null = null;
  #relationsChanged = false;
  #detached = false;

  /** A transaction is begun and its commit has not come. */
  get open(): boolean {
    return this.#begin !== null;
  }

  /** Where the open transaction commits, as its begin says; null: none is open. */
  get openCommit(): Lsn | null {
    return this.#begin?.finalLsn ?? null;
  }

  get detached(): boolean {
    return this.#detached;
  }

  /** Bytes of memory held by the open transaction. */
  get openCost(): number {
    return this.#held;
  }

  /**
   * Takes a copy of one message. Returns the transaction its Commit ends, else null.
   * @throws TributaryError protocol; the assembler is of no use afterwards.
   */
  push(message: Buffer): Assembled | null {
    if (isRow(message[0])) {
      this.#row(message);
      return null;
    }
    const decoded = decodeMessage(message, this.#relations);
    switch (decoded.kind) {
      case 'begin':
        this.#open(decoded);
        return null;
      case 'commit':
        return this.#commit(decoded);
      case 'relation':
        this.#relation(decoded, message);
        return null;
      case 'truncate':
        this.#step(decoded, message);
        return null;
      case 'message':
        // One that is not transactional comes between transactions and marks no place in the stream.
        if (decoded.transactional) {
          this.#step(decoded, message);
        }
        return null;
      case 'type':
      case 'origin':
        return null;
      default:
        throw protocolError(decoded satisfies never, 0);
    }
  }

  /** What a keepalive's position allows: itself while no transaction is begun, else null. */
  keepalive(position: Lsn): Lsn | null {
    return this.#begin === null ? position : null;
  }

  /** From now until its commit the open transaction is not kept: `drain` hands it out. Returns the relations in force at its begin. */
  detach(): RelationMap {
    this.#detached = true;
    this.#steps = [];
    return this.#relationsAtBegin ?? new Map(this.#relations);
  }

  /** The frames of a detached transaction not handed out before. */
  drain(): Buffer[] {
    this.#held = 0;
    return this.#arena.drain();
  }

  #open(begin: Begin): void {
    if (this.#begin) {
      throw protocolError('begin inside a transaction', 0);
    }
    this.#begin = begin;
    this.#steps = [];
    this.#bytes = 0;
    this.#held = 0;
    this.#detached = false;
    this.#relationsChanged = false;
    this.#relationsAtBegin = null;
    this.#arena.mark();
  }

  #row(message: Buffer): void {
    const start = this.#append(message);
    const range = { start, end: start + message.length };
    const change = RowChange.decode(this.#arena.chunk, range, this.#relations);
    if (!this.#detached) {
      this.#steps.push(change);
    }
  }

  #step(step: Step, message: Buffer): void {
    this.#append(message);
    if (!this.#detached) {
      this.#steps.push(step);
    }
  }

  #relation(relation: Relation, message: Buffer): void {
    if (this.#begin) {
      if (!this.#relationsChanged && !this.#detached) {
        this.#relationsAtBegin = new Map(this.#relations);
      }
      this.#relationsChanged = true;
      this.#append(message);
    }
    this.#relations.set(relation.oid, relation);
  }

  #append(message: Buffer): number {
    if (!this.#begin) {
      throw protocolError('change outside a transaction', 0);
    }
    this.#bytes += message.length;
    this.#held += message.length + (this.#detached ? 0 : stepOverhead);
    return this.#arena.append(message);
  }

  #commit(commit: Commit): Assembled {
    const begin = this.#begin;
    if (begin?.finalLsn !== commit.commitLsn) {
      throw protocolError('commit', 2);
    }
    const assembled: Assembled = {
      transaction: {
        xid: begin.xid,
        commitLsn: commit.commitLsn,
        endLsn: commit.endLsn,
        commitTime: commit.commitTime,
        changes: this.#steps,
      },
      detached: this.#detached,
      bytes: this.#bytes,
      cost: this.#detached ? 0 : this.#held + stepOverhead,
    };
    this.#begin = null;
    this.#steps = [];
    this.#held = 0;
    return assembled;
  }
}
