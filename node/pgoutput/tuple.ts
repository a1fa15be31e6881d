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
  /** The bytes of a value as latin1 text, without making a view; empty for null. @throws RangeError for an unchanged one. */
  latin1(column: number): string;
  /** Length of a text or binary value; -1 for null. @throws RangeError for an unchanged one. */
  byteLength(column: number): number;
  /** Copies the value into `target` without making a view; returns the bytes copied, 0 for null. */
  copyValue(column: number, target: Buffer, offset: number): number;
  /**
   * Adds the length of each wanted value to its slot of `sizes`. False when one has another form than `form`.
   * @throws RangeError for an unchanged one.
   */
  measure(slots: Slots, form: 'text' | 'binary', sizes: Uint32Array): boolean;
  /**
   * Writes each wanted value, its length in four bytes before it (-1 for null), into the target of its slot at that
   * slot's offset, which moves on; in the order of the columns. Every row was measured before.
   */
  scatter(slots: Slots, targets: readonly Buffer[], offsets: Uint32Array): void;
}

/**
 * By column, where its value goes; -1: nowhere. A row is walked once however many columns are wanted: asked column by
 * column, the memory of thousands of rows passes through the processor's caches once for each.
 */
export type Slots = Int16Array;

/** @param wanted positions of columns; each goes to the slot of its place here, or all to slot 0. */
export function slotsFor(wanted: readonly number[], count: number, into: 'own' | 'one'): Slots {
  const slots = new Int16Array(count).fill(-1);
  wanted.forEach((column, slot) => {
    slots[column] = into === 'own' ? slot : 0;
  });
  return slots;
}
