/** Messages as a walsender writes them: the reverse of decode.ts and row-change.ts, for tests and for whoever plays provider. */
import type { Message, Relation } from './messages.ts';
import type { Tuple } from './tuple.ts';

/** A value to send: null, out-of-line and unchanged, or bytes in text or binary form. */
export type Value =
  | null
  | 'unchanged'
  | { readonly text: Buffer | string }
  | { readonly binary: Buffer };

export interface Row {
  readonly kind: 'insert' | 'update' | 'delete';
  readonly relation: Relation;
  /** key: the replica identity's columns; whole: the old row under replica identity full. */
  readonly old?: { readonly letter: 'K' | 'O'; readonly values: readonly Value[] };
  readonly new?: readonly Value[];
}

const letters = { insert: 'I', update: 'U', delete: 'D' } as const;

export function encodeRow(row: Row): Buffer {
  const parts = [ascii(letters[row.kind]), uint32(row.relation.oid)];
  if (row.old) {
    parts.push(ascii(row.old.letter), encodeTuple(row.old.values));
  }
  if (row.new) {
    parts.push(ascii('N'), encodeTuple(row.new));
  }
  return Buffer.concat(parts);
}

export function encodeMessage(message: Message): Buffer {
  switch (message.kind) {
    case 'begin':
      return Buffer.concat([
        ascii('B'),
        uint64(message.finalLsn),
        uint64(message.commitTime),
        uint32(message.xid),
      ]);
    case 'commit':
      return Buffer.concat([
        ascii('C\0'),
        uint64(message.commitLsn),
        uint64(message.endLsn),
        uint64(message.commitTime),
      ]);
    case 'relation':
      return encodeRelation(message);
    case 'type':
      return Buffer.concat([
        ascii('Y'),
        uint32(message.oid),
        text(message.schema),
        text(message.name),
      ]);
    case 'origin':
      return Buffer.concat([ascii('O'), uint64(message.lsn), text(message.name)]);
    case 'message':
      return Buffer.concat([
        ascii('M'),
        Buffer.of(message.transactional ? 1 : 0),
        uint64(message.lsn),
        text(message.prefix),
        uint32(message.content.length),
        message.content,
      ]);
    case 'truncate':
      return Buffer.concat([
        ascii('T'),
        uint32(message.relations.length),
        Buffer.of((message.cascade ? 1 : 0) | (message.restartIdentity ? 2 : 0)),
        ...message.relations.map((relation) => uint32(relation.oid)),
      ]);
    default:
      throw new RangeError(message satisfies never);
  }
}

/** The values of a tuple, to compare with what was encoded. */
export function valuesOf(tuple: Tuple): Value[] {
  return Array.from({ length: tuple.count }, (_, column) => {
    const kind = tuple.kind(column);
    if (kind === 'null') {
      return null;
    }
    if (kind === 'unchanged') {
      return 'unchanged';
    }
    const bytes = tuple.value(column) ?? Buffer.alloc(0);
    return kind === 'text' ? { text: bytes } : { binary: bytes };
  });
}

function encodeRelation(relation: Relation): Buffer {
  return Buffer.concat([
    ascii('R'),
    uint32(relation.oid),
    text(relation.schema === 'pg_catalog' ? '' : relation.schema),
    text(relation.name),
    ascii(relation.replicaIdentity),
    uint16(relation.columns.length),
    ...relation.columns.flatMap((column) => [
      Buffer.of(column.identity ? 1 : 0),
      text(column.name),
      uint32(column.typeOid),
      int32(column.typeModifier),
    ]),
  ]);
}

function encodeTuple(values: readonly Value[]): Buffer {
  return Buffer.concat([uint16(values.length), ...values.flatMap(encodeValue)]);
}

function encodeValue(value: Value): Buffer[] {
  if (value === null) {
    return [ascii('n')];
  }
  if (value === 'unchanged') {
    return [ascii('u')];
  }
  const bytes = Buffer.from('text' in value ? value.text : value.binary);
  return [ascii('text' in value ? 't' : 'b'), uint32(bytes.length), bytes];
}

function ascii(letters: string): Buffer {
  return Buffer.from(letters, 'latin1');
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, 'utf8');
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value));
  return bytes;
}
