/**
 * pgoutput messages, protocol version 1 with messages and binary
 * (PostgreSQL manual, "Logical Replication Message Formats"). Row changes are not here: they stay bytes until they are
 * applied, see change.ts.
 */
import type { Lsn } from './lsn.ts';

export interface Begin {
  readonly kind: 'begin';
  /** Position of the commit record. */
  readonly finalLsn: Lsn;
  /** Microseconds since 2000-01-01 UTC. */
  readonly commitTime: bigint;
  /** Top-level transaction id, 32 bits. */
  readonly xid: number;
}

export interface Commit {
  readonly kind: 'commit';
  readonly commitLsn: Lsn;
  /** End of the commit record: the position to confirm, exactly, never one byte more. */
  readonly endLsn: Lsn;
  readonly commitTime: bigint;
}

export interface Relation {
  readonly kind: 'relation';
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** As in pg_class.relreplident: d default, n nothing, f full, i index. */
  readonly replicaIdentity: 'd' | 'n' | 'f' | 'i';
  readonly columns: readonly RelationColumn[];
}

export interface RelationColumn {
  readonly name: string;
  /** Part of the replica identity. */
  readonly identity: boolean;
  readonly typeOid: number;
  readonly typeModifier: number;
}

export interface TypeMessage {
  readonly kind: 'type';
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

export interface OriginMessage {
  readonly kind: 'origin';
  readonly lsn: Lsn;
  readonly name: string;
}

/** pg_logical_emit_message; transactional ones mark a point in the stream exactly. */
export interface LogicalMessage {
  readonly kind: 'message';
  readonly transactional: boolean;
  readonly lsn: Lsn;
  readonly prefix: string;
  readonly content: Buffer;
}

export interface Truncate {
  readonly kind: 'truncate';
  readonly relations: readonly Relation[];
  readonly cascade: boolean;
  readonly restartIdentity: boolean;
}

export type Message =
  | Begin
  | Commit
  | Relation
  | TypeMessage
  | OriginMessage
  | LogicalMessage
  | Truncate;
