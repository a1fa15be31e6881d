/**
 * Messages in, whole transactions out. A transaction larger than its caller wants in memory is detached: its frames
 * are handed out as they come and only its outline is returned at its commit.
 */
import { decodeMessage } from './decode.ts';
import { Arena, frameHeader, type FrameRun } from './frames.ts';
import type { Lsn } from './lsn.ts';
import type { Begin, Commit, Relation } from './messages.ts';
import { protocolError } from './reader.ts';
import { isRow, RowChange } from './row-change.ts';
import type { RelationMap } from './row-change.ts';

/** A whole transaction. */
export interface Assembled {
  readonly xid: number;
  readonly commitLsn: Lsn;
  readonly endLsn: Lsn;
  /** Microseconds since 2000-01-01 UTC. */
  readonly commitTime: bigint;
  readonly detached: boolean;
  /** From its Begin to its Commit; none when it was detached. */
  readonly frames: readonly FrameRun[];
  /** The relations in force at its begin and behind its end, and those told in it, in their order. */
  readonly before: RelationMap;
  readonly after: RelationMap;
  readonly told: readonly Relation[];
  /** Number of its steps; 0 when it was detached. */
  readonly steps: number;
  /** Bytes of the messages between its Begin and its Commit. */
  readonly bytes: number;
  /** What it occupies in memory. */
  readonly cost: number;
}

export class Assembler {
  readonly #arena = new Arena();
  /** Never changed, only replaced: transactions that wait look into the one of their begin. */
  #relations: RelationMap = new Map<number, Relation>();
  #relationsAtBegin: RelationMap = this.#relations;
  /** Told inside the open transaction. */
  #told: Relation[] = [];
  #begin: Begin | null = null;
  #steps = 0;
  #bytes = 0;
  #held = 0;
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

  /** Changes of the open transaction; 0 when it was detached. */
  get openSteps(): number {
    return this.#detached ? 0 : this.#steps;
  }

  /**
   * Takes a copy of the message in bytes[from, end). Returns the transaction its Commit ends, else null.
   * @throws TributaryError protocol; the assembler is of no use afterwards.
   */
  push(bytes: Buffer, from = 0, end = bytes.length): Assembled | null {
    if (isRow(bytes[from])) {
      this.#row(bytes, from, end);
      return null;
    }
    const decoded = decodeMessage(bytes, this.#relations, from, end);
    switch (decoded.kind) {
      case 'begin':
        this.#open(decoded);
        this.#keep(bytes, from, end);
        return null;
      case 'commit':
        if (!this.#detached) {
          this.#keep(bytes, from, end);
        }
        return this.#commit(decoded);
      case 'relation':
        this.#relation(decoded, bytes.subarray(from, end));
        return null;
      case 'truncate':
        this.#step(bytes, from, end);
        return null;
      case 'message':
        // One that is not transactional comes between transactions and marks no place in the stream.
        if (decoded.transactional) {
          this.#step(bytes, from, end);
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
    this.#steps = 0;
    return this.#relationsAtBegin;
  }

  /** The frames of a detached transaction not handed out before. */
  drain(): readonly FrameRun[] {
    this.#held = 0;
    return this.#arena.drain();
  }

  #open(begin: Begin): void {
    if (this.#begin) {
      throw protocolError('begin inside a transaction', 0);
    }
    this.#begin = begin;
    this.#steps = 0;
    this.#bytes = 0;
    this.#held = 0;
    this.#detached = false;
    this.#relationsAtBegin = this.#relations;
    if (this.#told.length > 0) {
      this.#told = [];
    }
    this.#arena.mark();
  }

  /** What comes is checked when it comes, and looked into when it is applied. */
  #row(bytes: Buffer, from: number, end: number): void {
    const start = this.#append(bytes, from, end);
    RowChange.check(this.#arena.chunk, start, this.#relations);
    this.#steps += 1;
  }

  #step(bytes: Buffer, from: number, end: number): void {
    this.#append(bytes, from, end);
    this.#steps += 1;
  }

  #relation(relation: Relation, message: Buffer): void {
    if (this.#begin) {
      this.#append(message, 0, message.length);
      this.#told.push(relation);
    }
    this.#relations = new Map(this.#relations).set(relation.oid, relation);
  }

  #append(bytes: Buffer, from: number, end: number): number {
    if (!this.#begin) {
      throw protocolError('change outside a transaction', 0);
    }
    this.#bytes += end - from;
    return this.#keep(bytes, from, end);
  }

  #keep(bytes: Buffer, from: number, end: number): number {
    this.#held += frameHeader + end - from;
    return this.#arena.append(bytes, from, end);
  }

  #commit(commit: Commit): Assembled {
    const begin = this.#begin;
    if (begin?.finalLsn !== commit.commitLsn) {
      throw protocolError('commit', 2);
    }
    const assembled: Assembled = {
      xid: begin.xid,
      commitLsn: commit.commitLsn,
      endLsn: commit.endLsn,
      commitTime: commit.commitTime,
      detached: this.#detached,
      frames: this.#detached ? [] : this.#arena.drain(),
      before: this.#relationsAtBegin,
      after: this.#relations,
      // The list of one that told nothing is used by the next.
      told: this.#told.length > 0 ? this.#told : [],
      steps: this.openSteps,
      bytes: this.#bytes,
      cost: this.#detached ? 0 : this.#held,
    };
    this.#begin = null;
    this.#steps = 0;
    this.#held = 0;
    return assembled;
  }
}
