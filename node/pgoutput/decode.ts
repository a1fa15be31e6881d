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
import { protocolError, Reader } from './reader.ts';
import type { RelationMap } from './row-change.ts';

/**
 * One message; keeps no view of `bytes`.
 * @param relations those in force, for Truncate
 * @throws TributaryError protocol for a cut, foreign or row message, and for a Truncate of an unknown relation.
 */
export function decodeMessage(bytes: Buffer, relations: RelationMap): Message {
  switch (bytes[0]) {
    case 0x42:
      return begin(new Reader(bytes, 'begin'));
    case 0x43:
      return commit(new Reader(bytes, 'commit'));
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

function begin(reader: Reader): Begin {
  const message: Begin = {
    kind: 'begin',
    finalLsn: reader.lsn(),
    commitTime: reader.int64(),
    xid: reader.uint32(),
  };
  reader.end();
  return message;
}

function commit(reader: Reader): Commit {
  if (reader.uint8() !== 0) {
    reader.fail();
  }
  const message: Commit = {
    kind: 'commit',
    commitLsn: reader.lsn(),
    endLsn: reader.lsn(),
    commitTime: reader.int64(),
  };
  reader.end();
  return message;
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
