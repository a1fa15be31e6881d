/**
 * Every message that is not a row change, decoded at once
 * (PostgreSQL manual, "Logical Replication Message Formats", protocol version 1). Row changes: row-change.ts.
 */
import type {
  Begin,
  Commit,
  LogicalMessage,
  Message,
  OriginMessage,
  Relation,
  RelationColumn,
  Truncate,
  TypeMessage,
} from './messages.ts';
import { readLsn } from './lsn.ts';
import { protocolError, Reader } from './reader.ts';
import type { RelationMap } from './row-change.ts';

const beginBytes = 21;
const commitBytes = 26;

/**
 * The message in bytes[from, end); keeps no view of them.
 * @param relations those in force, for Truncate
 * @throws TributaryError protocol for a cut, foreign or row message, and for a Truncate of an unknown relation.
 */
export function decodeMessage(
  bytes: Buffer,
  relations: RelationMap,
  from = 0,
  end = bytes.length,
): Message {
  // Of a backlog of small transactions two of three messages: no view is made for them.
  switch (bytes[from]) {
    case 0x42:
      return begin(bytes, from, end);
    case 0x43:
      return commit(bytes, from, end);
    default:
      return other(bytes.subarray(from, end), relations);
  }
}

function other(bytes: Buffer, relations: RelationMap): Message {
  switch (bytes[0]) {
    case 0x52:
      return relation(new Reader(bytes, 'relation'));
    case 0x59:
      return type(new Reader(bytes, 'type'));
    case 0x4f:
      return origin(new Reader(bytes, 'origin'));
    case 0x4d:
      return logicalMessage(new Reader(bytes, 'message'));
    case 0x54:
      return truncate(new Reader(bytes, 'truncate'), relations);
    default:
      throw protocolError('unknown', 0);
  }
}

function begin(bytes: Buffer, from: number, end: number): Begin {
  check('begin', end - from, beginBytes);
  return {
    kind: 'begin',
    finalLsn: readLsn(bytes, from + 1),
    commitTime: bytes.readBigInt64BE(from + 9),
    xid: bytes.readUInt32BE(from + 17),
  };
}

function commit(bytes: Buffer, from: number, end: number): Commit {
  check('commit', end - from, commitBytes);
  if (bytes[from + 1] !== 0) {
    throw protocolError('commit', 1);
  }
  return {
    kind: 'commit',
    commitLsn: readLsn(bytes, from + 2),
    endLsn: readLsn(bytes, from + 10),
    commitTime: bytes.readBigInt64BE(from + 18),
  };
}

function check(what: string, length: number, wanted: number): void {
  if (length !== wanted) {
    throw protocolError(what, Math.min(length, wanted));
  }
}

function relation(reader: Reader): Relation {
  const oid = reader.uint32();
  const schema = schemaName(reader.string());
  const name = reader.string();
  const replicaIdentity = String.fromCharCode(reader.uint8());
  if (!isIdentity(replicaIdentity)) {
    reader.fail();
  }
  const columns: RelationColumn[] = [];
  for (let left = reader.uint16(); left > 0; left -= 1) {
    columns.push({
      identity: (reader.uint8() & 1) === 1,
      name: reader.string(),
      typeOid: reader.uint32(),
      typeModifier: reader.int32(),
    });
  }
  reader.end();
  return { kind: 'relation', oid, schema, name, replicaIdentity, columns };
}

function isIdentity(letter: string): letter is Relation['replicaIdentity'] {
  return letter === 'd' || letter === 'n' || letter === 'f' || letter === 'i';
}

/** The protocol sends pg_catalog as an empty name. */
function schemaName(text: string): string {
  return text === '' ? 'pg_catalog' : text;
}

function type(reader: Reader): TypeMessage {
  const message: TypeMessage = {
    kind: 'type',
    oid: reader.uint32(),
    schema: schemaName(reader.string()),
    name: reader.string(),
  };
  reader.end();
  return message;
}

function origin(reader: Reader): OriginMessage {
  const message: OriginMessage = { kind: 'origin', lsn: reader.lsn(), name: reader.string() };
  reader.end();
  return message;
}

function logicalMessage(reader: Reader): LogicalMessage {
  const message: LogicalMessage = {
    kind: 'message',
    transactional: (reader.uint8() & 1) === 1,
    lsn: reader.lsn(),
    prefix: reader.string(),
    content: reader.bytes(reader.uint32()),
  };
  reader.end();
  return message;
}

function truncate(reader: Reader, known: RelationMap): Truncate {
  const count = reader.uint32();
  const options = reader.uint8();
  const relations: Relation[] = [];
  for (let left = count; left > 0; left -= 1) {
    relations.push(known.get(reader.uint32()) ?? reader.fail());
  }
  reader.end();
  return {
    kind: 'truncate',
    relations,
    cascade: (options & 1) !== 0,
    restartIdentity: (options & 2) !== 0,
  };
}
