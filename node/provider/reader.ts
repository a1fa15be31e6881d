/**
 * Reading ranges of the published tables: part of the seam. What is read is what leaves: rows the row filter lets
 * through, in the published columns. Keys and bounds are texts, one per column of the key.
 */
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import type { Snapshot } from './snapshot.ts';

/** The key's columns as texts, in the order of the key. */
export type Key = readonly string[];

/** Keys after `after` up to and with `upto`; null: no bound. Text is ordered by `collate "C"`. */
export interface KeyRange {
  readonly after: Key | null;
  readonly upto: Key | null;
}

/** What of a table is read. */
export interface TableColumns {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
}

/** Some rows that follow each other in the order of the key, as a number. */
export interface Block {
  /** Number of the range it lies in. */
  readonly range: number;
  /** Null of a block that is not full: the last one of its range. */
  readonly lastKey: Key | null;
  readonly count: number;
  /** Sum of the hashes of its rows. */
  readonly digest: bigint;
}

/** How many rows, and the sum of their hashes: of another kind than those of blocks and rows, and equal on all versions. */
export interface RangeDigest {
  readonly count: number;
  readonly digest: bigint;
}

export interface HashedRow {
  /** Number of the range it was found in. */
  readonly range: number;
  readonly key: Key;
  readonly hash: bigint;
}

/** Rows that are left out of every answer: those of these origins, by the table's column that names it. */
export interface LeftOut {
  readonly column: string;
  readonly origins: readonly string[];
}

/** Rows, until they are disposed of: their memory is used again. Rows that are not are only garbage some day. */
export interface Rows extends Disposable {
  readonly tuples: readonly Tuple[];
}

export interface Reader extends AsyncDisposable {
  /** From the next view on. A column that is not published leaves out nothing. @throws TributaryError provider_* */
  leaveOut(rows: LeftOut): Promise<void>;

  /** A view of the provider under one snapshot, once the one before is disposed of. @throws TributaryError provider_* */
  look(): Promise<View>;

  /** Lower 32 bits of the ids of every transaction that runs now, subtransactions among them. */
  runningXids(): Promise<ReadonlySet<number>>;

  /** Bytes read in answers since it was opened. */
  readonly bytes: number;
}

/** A read-only transaction; disposing twice is disposing once. Its failures are TributaryErrors; after one it is of no use. */
export interface View extends AsyncDisposable {
  readonly snapshot: Snapshot;
  /** End of the log right after the snapshot was taken: every commit the snapshot sees lies before it. */
  readonly position: Lsn;

  /** How many rows are expected. */
  estimate(table: TableColumns): Promise<number>;

  /** Bytes of the whole table, rows that do not leave, values out of line and partitions among them, without indexes. */
  storedBytes(table: TableColumns): Promise<number>;

  /** The first `rows` rows of each range in blocks of `block` rows; nothing of a range: it holds none. */
  blocks(
    table: TableColumns,
    ranges: readonly KeyRange[],
    size: { readonly rows: number; readonly block: number },
  ): Promise<readonly Block[]>;

  /** False: the provider runs an older release that has neither `digest` nor `keyAfter`, or its grants. */
  hasDigests(): Promise<boolean>;

  /** The key of the row that stands `rows` rows behind a key; null: not so many do. */
  keyAfter(table: TableColumns, after: Key | null, rows: number): Promise<Key | null>;

  /** All rows of a range as one number. */
  digest(table: TableColumns, range: KeyRange): Promise<RangeDigest>;

  /** Every row of the ranges, in their order. */
  hashes(table: TableColumns, ranges: readonly KeyRange[]): Promise<readonly HashedRow[]>;

  /** The next rows of a range in the order of the key, bounded by rows and stored bytes (one row always comes). */
  rows(
    table: TableColumns,
    range: KeyRange,
    most: { readonly rows: number; readonly bytes: number; readonly form: 'text' | 'binary' },
  ): Promise<Rows>;

  /** The hashes of the rows of these keys by their numbers in `keys`; of those that do not leave the provider none. */
  hashesByKey(table: TableColumns, keys: readonly Key[]): Promise<ReadonlyMap<number, bigint>>;

  /** The rows of these keys, in no order, as far as `bytes` reach (one always comes): ask again for the rest. */
  rowsByKey(
    table: TableColumns,
    keys: readonly Key[],
    most: { readonly bytes: number; readonly form: 'text' | 'binary' },
  ): Promise<readonly Tuple[]>;
}
