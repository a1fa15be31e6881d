/** Insert, Update and Delete: checked when they come, looked into when they are applied. */
import type { Change } from './change.ts';
import { frameEnd } from './frames.ts';
import type { Relation } from './messages.ts';
import { protocolError } from './reader.ts';
import type { Tuple } from './tuple.ts';
import { TupleView, tupleEnd } from './tuple-view.ts';

export type RelationMap = ReadonlyMap<number, Relation>;

const tag = { insert: 0x49, update: 0x55, delete: 0x44, key: 0x4b, old: 0x4f, new: 0x4e } as const;

export class RowChange implements Change {
  readonly kind: Change['kind'];
  readonly relation: Relation;
  readonly #bytes: Buffer;
  readonly #start: number;
  /** Offset of the new tuple's letter; 0: none. */
  readonly #newAt: number;
  #old: Tuple | null = null;
  #new: Tuple | null = null;

  private constructor(relation: Relation, place: Place) {
    this.kind = kindOf(place.bytes[place.start]);
    this.relation = relation;
    this.#bytes = place.bytes;
    this.#start = place.start;
    this.#newAt = place.newAt;
  }

  /**
   * The row message of the frame whose content begins at `start`, in bytes that are owned by the caller for good and
   * are not copied. @throws TributaryError protocol for anything that is not one whole row of a known relation.
   */
  static decode(bytes: Buffer, start: number, relations: RelationMap): RowChange {
    const relation = relationOf(bytes, start, relations);
    const newAt = checkRow(bytes, start, relation);
    return new RowChange(relation, { bytes, start, newAt });
  }

  /** The same of a frame that has been checked. */
  static view(bytes: Buffer, start: number, relations: RelationMap): RowChange {
    const relation = relationOf(bytes, start, relations);
    return new RowChange(relation, { bytes, start, newAt: newAtOf(bytes, start, relation) });
  }

  /** What `decode` refuses, without making a change. @throws TributaryError protocol */
  static check(bytes: Buffer, start: number, relations: RelationMap): void {
    checkRow(bytes, start, relationOf(bytes, start, relations));
  }

  get message(): Buffer {
    return this.#bytes.subarray(this.#start, frameEnd(this.#bytes, this.#start));
  }

  get old(): Tuple | null {
    const at = this.#start + rowHeader;
    if (this.#old === null && isOldLetter(this.#bytes[at])) {
      this.#old = new TupleView(this.#bytes, at + 1);
    }
    return this.#old;
  }

  get oldIsWhole(): boolean {
    return this.#bytes[this.#start + rowHeader] === tag.old;
  }

  get new(): Tuple | null {
    if (this.#new === null && this.#newAt > 0) {
      this.#new = new TupleView(this.#bytes, this.#newAt + 1);
    }
    return this.#new;
  }
}

interface Place {
  readonly bytes: Buffer;
  readonly start: number;
  readonly newAt: number;
}

/** The message's letter and the relation's oid. */
const rowHeader = 5;

export function isRow(letter: number | undefined): boolean {
  return letter === tag.insert || letter === tag.update || letter === tag.delete;
}

function kindOf(letter: number | undefined): Change['kind'] {
  switch (letter) {
    case tag.insert:
      return 'insert';
    case tag.update:
      return 'update';
    case tag.delete:
      return 'delete';
    default:
      throw protocolError('row', 0);
  }
}

function isOldLetter(letter: number | undefined): boolean {
  return letter === tag.key || letter === tag.old;
}

function relationOf(bytes: Buffer, start: number, relations: RelationMap): Relation {
  const end = frameEnd(bytes, start);
  if (start + rowHeader >= end) {
    throw protocolError('row', end - start);
  }
  const relation = relations.get(bytes.readUInt32BE(start + 1));
  if (!relation) {
    throw protocolError('row of an unknown relation', 1);
  }
  return relation;
}

/** As checkRow, of what it has passed. */
function newAtOf(bytes: Buffer, start: number, relation: Relation): number {
  const first = start + rowHeader;
  if (bytes[start] === tag.delete) {
    return 0;
  }
  return isOldLetter(bytes[first])
    ? tupleEnd(bytes, first + 1, frameEnd(bytes, start), relation.columns.length)
    : first;
}

/** Where the new tuple's letter stands; 0: none. An offset 0 is never a letter's, a frame begins before it. */
function checkRow(bytes: Buffer, start: number, relation: Relation): number {
  const end = frameEnd(bytes, start);
  const columns = relation.columns.length;
  const kind = kindOf(bytes[start]);
  const first = start + rowHeader;
  let at = first;
  if (isOldLetter(bytes[first])) {
    if (kind === 'insert') {
      throw protocolError(kind, rowHeader);
    }
    at = tupleEnd(bytes, first + 1, end, columns);
  } else if (kind === 'delete') {
    throw protocolError(kind, rowHeader);
  }
  const newAt = kind === 'delete' ? 0 : at;
  if (newAt > 0) {
    if (newAt >= end || bytes[newAt] !== tag.new) {
      throw protocolError(kind, newAt - start);
    }
    at = tupleEnd(bytes, newAt + 1, end, columns);
  }
  if (at !== end) {
    throw protocolError(kind, at - start);
  }
  return newAt;
}
