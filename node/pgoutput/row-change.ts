/** Insert, Update and Delete: checked when they come, looked into when they are applied. */
import type { Change } from './change.ts';
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
  readonly #end: number;
  /** Offset of the old tuple's letter; 0: none. */
  readonly #oldAt: number;
  /** Offset of the new tuple's letter; 0: none. */
  readonly #newAt: number;
  #old: Tuple | null = null;
  #new: Tuple | null = null;

  private constructor(
    kind: Change['kind'],
    relation: Relation,
    place: { bytes: Buffer; start: number; end: number; oldAt: number; newAt: number },
  ) {
    this.kind = kind;
    this.relation = relation;
    this.#bytes = place.bytes;
    this.#start = place.start;
    this.#end = place.end;
    this.#oldAt = place.oldAt;
    this.#newAt = place.newAt;
  }

  /**
   * The row message in bytes[start, end), which must be owned by the caller for good and which is not copied.
   * @throws TributaryError protocol for anything that is not one whole row message of a known relation.
   */
  static decode(
    bytes: Buffer,
    range: { readonly start: number; readonly end: number },
    relations: RelationMap,
  ): RowChange {
    const { start, end } = range;
    const first = start + 5;
    if (first >= end) {
      throw protocolError('row', end - start);
    }
    const relation = relations.get(bytes.readUInt32BE(start + 1));
    if (!relation) {
      throw protocolError('row of an unknown relation', 1);
    }
    const kind = kindOf(bytes[start]);
    const { oldAt, newAt } = places(bytes, first, kind);
    let at = first;
    let secondAt = newAt;
    if (oldAt > 0) {
      at = tupleEnd(bytes, oldAt + 1, end, relation.columns.length);
      secondAt = kind === 'update' ? at : 0;
    }
    if (secondAt > 0) {
      if (secondAt >= end || bytes[secondAt] !== tag.new) {
        throw protocolError(kind, secondAt - start);
      }
      at = tupleEnd(bytes, secondAt + 1, end, relation.columns.length);
    }
    if (at !== end) {
      throw protocolError(kind, at - start);
    }
    return new RowChange(kind, relation, { bytes, start, end, oldAt, newAt: secondAt });
  }

  get message(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  get old(): Tuple | null {
    if (this.#old === null && this.#oldAt > 0) {
      this.#old = new TupleView(this.#bytes, this.#oldAt + 1);
    }
    return this.#old;
  }

  get oldIsWhole(): boolean {
    return this.#oldAt > 0 && this.#bytes[this.#oldAt] === tag.old;
  }

  get new(): Tuple | null {
    if (this.#new === null && this.#newAt > 0) {
      this.#new = new TupleView(this.#bytes, this.#newAt + 1);
    }
    return this.#new;
  }
}

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

/** Which tuple the first letter announces; offset 0 is never a letter's, a tag stands before it. */
function places(
  bytes: Buffer,
  first: number,
  kind: Change['kind'],
): { oldAt: number; newAt: number } {
  const letter = bytes[first];
  if (letter === tag.key || letter === tag.old) {
    if (kind === 'insert') {
      throw protocolError(kind, 5);
    }
    return { oldAt: first, newAt: 0 };
  }
  if (letter !== tag.new || kind === 'delete') {
    throw protocolError(kind, 5);
  }
  return { oldAt: 0, newAt: first };
}
