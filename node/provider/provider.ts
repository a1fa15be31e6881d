/**
 * The seam between two datacentres: everything a subscriber needs of a provider. `direct` implements it over
 * connections to the provider's PostgreSQL; `dial` (later) is the same code run at the child. Nothing in it names
 * a socket, a pool or a type of pg, so nothing slips in that can not travel.
 */
import type { BaseType } from '../database/base-type.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Part } from '../pgoutput/part.ts';
import type { Reader } from './reader.ts';

export interface Provider extends AsyncDisposable {
  /** Name, versions, tables. @throws TributaryError provider_unreachable | provider_refused | provider_not_prepared */
  describe(): Promise<ProviderDescription>;

  /**
   * Compares what stands at the provider now with what was known when the position was stored.
   * Reads only; an empty list is the proof. @throws TributaryError provider_*
   */
  prove(known: KnownProvider): Promise<readonly Doubt[]>;

  /**
   * Drops a slot of this name if one stands unused, makes a new one, and says from where it streams and which
   * published tables had approved rows at that very point (under the snapshot the slot exported).
   * @throws TributaryError provider_wal_level | provider_no_slot_free | provider_not_prepared | provider_standby |
   * provider_unreachable
   */
  makeSlot(): Promise<NewSlot>;

  dropSlot(): Promise<void>;

  /**
   * The stream from a stored position, in parts, until `signal` aborts (then it ends cleanly: last status sent,
   * copy ended). A failure rejects `next()` once, with a TributaryError; what was not confirmed will be sent again.
   * Backpressure: memory is bounded by `queueBytes`; the socket is paused beyond it, and closed (reader_slow, after
   * the whole transactions already queued were delivered) when it stayed paused for 10 s.
   * Asking for the next part releases the one before.
   */
  stream(from: Lsn, options: StreamOptions): AsyncIterable<Part>;

  /**
   * Says that somebody waits for the stream to pass `position`: a keepalive beyond it is asked for and delivered at
   * once, also while nothing changes at the provider.
   */
  hasten(position: Lsn): void;

  /**
   * Whether the provider is level with its own children, as its own node has said after `since`: a restored one is not
   * judged before. @throws TributaryError provider_*
   */
  isLevel(since: Lsn): Promise<boolean>;

  /**
   * A connection for reading ranges of the published tables; the caller ends it.
   * @throws TributaryError provider_unreachable | provider_refused
   */
  openReader(): Promise<Reader>;

  /** Everything up to `position` is durable here: may be reported as flushed. Only moves forward. */
  confirm(position: Lsn): void;

  /** Counters and positions of the stream for status and metrics; cheap, no I/O. */
  progress(): StreamProgress;
}

export interface StreamOptions {
  readonly signal: AbortSignal;
  /** text: always right. binary: only when apply found every published column to fit. */
  readonly format: 'text' | 'binary';
}

export interface ProviderDescription {
  readonly node: string;
  /** PostgreSQL's server_version_num. */
  readonly serverVersion: number;
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly publicationOid: number;
  readonly publicationNonce: string;
  readonly tables: readonly ProviderTable[];
  /** The provider's clock minus ours, milliseconds, half the round trip taken off. */
  readonly clockSkewMs: number;
}

export interface ProviderTable {
  readonly schema: string;
  readonly name: string;
  /** Published columns in their order. */
  readonly columns: readonly ProviderColumn[];
  /** Another text when rows may have changed without a word in the stream: a rewrite, ATTACH, DETACH. */
  readonly storage: string;
}

export interface ProviderColumn {
  readonly name: string;
  readonly typeOid: number;
  /** pg_catalog.format_type with modifier, for messages and to know a change by. */
  readonly type: string;
  /** As in pg_attribute.atttypmod. */
  readonly typeModifier: number;
  readonly baseType: BaseType;
  readonly notNull: boolean;
}

/** What was stored here with the position. */
export interface KnownProvider {
  readonly node: string;
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly publicationOid: number;
  readonly publicationNonce: string;
  readonly slot: string;
  readonly position: Lsn;
  /** End of the last commit applied here; null or absent: none. */
  readonly lastCommit?: Lsn | null;
  /** The provider's last heartbeat applied here; null: none yet. */
  readonly witness: { readonly nonce: string; readonly lsn: Lsn } | null;
}

/** Each has a sentence in docs/doubts.md; what is done about it is `remedyOf`. */
export type DoubtName =
  | 'node_name_differs'
  | 'system_identifier_differs'
  | 'timeline_forked'
  | 'log_behind'
  | 'publication_missing'
  | 'publication_recreated'
  | 'slot_missing'
  | 'slot_lost'
  | 'slot_foreign'
  | 'slot_ahead'
  | 'witness_missing'
  | 'log_differs'
  | 'transaction_cut';

export interface Doubt {
  readonly name: DoubtName;
  /** Names and positions only. */
  readonly detail: Readonly<Record<string, string | number | null>>;
}

export interface NewSlot {
  readonly slot: string;
  /** The consistent point: the stream starts here. */
  readonly position: Lsn;
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly publicationOid: number;
  readonly publicationNonce: string;
  /** Qualified names of tables of the set with approved rows before the slot; empty: nothing is missing. */
  readonly tablesWithRows: readonly string[];
}

export interface StreamProgress {
  readonly connected: boolean;
  /** End of the last byte received. */
  readonly received: Lsn;
  readonly confirmed: Lsn;
  /** The provider's end of log as of its last message. */
  readonly walEnd: Lsn;
  /** performance.now() of the last message; null: none in this connection. */
  readonly heardAt: number | null;
  readonly bytesReceived: number;
  readonly messagesReceived: number;
  readonly connections: number;
  /** Bytes in the queue, whole and open transactions. */
  readonly queuedBytes: number;
  /** A transaction is begun but not yet committed in what was received, or whole ones wait. */
  readonly pending: boolean;
  /** Commit position of the transaction too large for memory that was on its way; null: none was. */
  readonly spooling: Lsn | null;
  /** Milliseconds since the start of this process, by phase. */
  readonly phaseMs: { readonly network: number; readonly decode: number };
}
