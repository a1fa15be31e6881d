/** TupleData (PostgreSQL manual, "Logical Replication Message Formats"): values untouched, as PostgreSQL sent them. */

/** null; out-of-line and unchanged, hence not sent; text form; binary form. */
export type ValueKind = 'null' | 'unchanged' | 'text' | 'binary';

export interface Tuple {
  /** Number of columns; the same as the relation's. */
  readonly count: number;
  /** True when any column is 'unchanged'. */
  readonly hasUnchanged: boolean;
  kind(column: number): ValueKind;
  /** The bytes of a text or binary value; null for null. A view: do not keep it beyond the part. @throws RangeError for an unchanged one. */
  value(column: number): Buffer | null;
  /** Length of a text or binary value; -1 for null. @throws RangeError for an unchanged one. */
  byteLength(column: number): number;
  /** Copies the value into `target` without making a view; returns the bytes copied, 0 for null. */
  copyValue(column: number, target: Buffer, offset: number): number;
}
