/**
 * Applies the parts of one stream to this node's own database: a local transaction per part, the position in it.
 * Knows no sockets and no provider; between two parts it holds no transaction.
 */
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Part } from '../pgoutput/part.ts';

export interface Applier extends AsyncDisposable {
  /**
   * Applies a part in one local transaction together with its position, and returns the position that is durable.
   * Failures that pass (SQLSTATE 40, 55P03) are retried inside as a whole; others reject with a TributaryError:
   * fenced, row_failed, value_missing, origin_violation, drifted, text_needed, disk_full, database_unreachable,
   * local_busy. Nothing of the part is here after a rejection.
   */
  apply(part: Part): Promise<Lsn>;

  /** Counters for metrics; cheap, no I/O. */
  progress(): ApplyProgress;
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
  /** By conflict type (PostgreSQL's names) and table, and `rerouted`. */
  readonly conflicts: ReadonlyMap<string, number>;
  /** Parts that had to be replayed step by step. */
  readonly replays: number;
  readonly phaseMs: { readonly prepare: number; readonly apply: number; readonly commit: number };
}
