/**
 * Applies the parts of one stream to this node's own database: a local transaction per part, the position in it.
 * Knows no sockets and no provider; between two parts it holds no transaction.
 */
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Part } from '../pgoutput/part.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import type { Query } from './session.ts';

export interface Applier extends AsyncDisposable {
  /**
   * Applies a part in one local transaction together with its position, and returns the position that is durable.
   * Failures that pass (SQLSTATE 40, 55P03) are retried inside as a whole, keys that can not be stored are parked;
   * and tables of which rows are impossible here are blocked; others reject with a TributaryError: fenced, text_needed,
   * disk_full, database_unreachable, local_busy.
   * Nothing of the part is here after a rejection.
   */
  apply(part: Part): Promise<Lsn>;

  /**
   * Applies rows of one table as the provider has them at the position applied here, in a local transaction that leaves
   * the position where it is: what is present is inserted or updated, what is absent is deleted, each as if it had come
   * by the stream. `within` runs in the same transaction before its commit. Rejects as `apply`, and with drifted. Never
   * called while `apply` runs.
   */
  put(rows: RangeRows, within: (query: Query) => Promise<void>): Promise<void>;

  /** The definitions of tables here changed: they are looked up again. Never called while `apply` or `put` runs. */
  forgetTables(): void;

  /** How the stream may be asked for: binary only if every published column has the same safe type on both sides. */
  format(
    tables: readonly {
      readonly schema: string;
      readonly name: string;
      readonly columns: readonly { readonly name: string; readonly typeOid: number }[];
    }[],
  ): Promise<'text' | 'binary'>;

  /** Counters for metrics; cheap, no I/O. */
  progress(): ApplyProgress;
}

export interface RangeRows {
  /** The same object for every call about one table, or its columns are looked up again each time. */
  readonly relation: Relation;
  readonly present: readonly Tuple[];
  /** Tuples of the relation that hold the key's columns. */
  readonly absent: readonly Tuple[];
  /** new: no row of these keys is thought to be here, which is faster if it is so. */
  readonly expected: 'new' | 'any';
  /**
   * Where the provider adopts: rows of these keys that stand here under this node's own name become the provider's first,
   * and are counted as adopted.
   */
  readonly adopting?: boolean;
  /** The table is through after rows were put as new: those among them whose referred row is not here are taken out. */
  readonly copied?: boolean;
}

export interface ApplyProgress {
  readonly position: Lsn;
  readonly transactions: number;
  readonly parts: number;
  /** By table and operation, as sent by the provider: `public.case_report` -> counts. */
  readonly rows: ReadonlyMap<
    string,
    {
      readonly insert: number;
      readonly update: number;
      readonly delete: number;
      readonly truncate: number;
    }
  >;
  /**
   * By `<type> <schema>.<table>`: PostgreSQL's names of conflicts, `rerouted` (origins that come by another way), and
   * `outside_set` (changes of relations that are not of the replication set).
   */
  readonly conflicts: ReadonlyMap<string, number>;
  /** Tables whose rows go in without some sent columns, because they do not exist here: table -> those columns. */
  readonly partial: ReadonlyMap<string, readonly string[]>;
  /** Descriptions of tables that came; grows when the provider describes one again, as after a change of it. */
  readonly relations: number;
  /** Parts that had to be replayed step by step. */
  readonly replays: number;
  readonly phaseMs: { readonly prepare: number; readonly apply: number; readonly commit: number };
}
