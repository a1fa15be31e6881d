/** The key of a row as bytes: two values are the same key when PostgreSQL sent the same bytes for them. */
import type { Change } from '../pgoutput/change.ts';
import type { Tuple } from '../pgoutput/tuple.ts';

/** Where the key's columns stand in the relation, in the order of the key. */
export type KeyColumns = readonly number[];

/** Text that is equal exactly where the keys' bytes are, and sorts a single column by its bytes. */
export function rowKey(tuple: Tuple, columns: KeyColumns): string {
  const [first] = columns;
  if (columns.length === 1 && first !== undefined) {
    return tuple.latin1(first);
  }
  return rowKeyOf(columns.map((column) => tuple.value(column)));
}

/** The same of the values themselves, in the order of the key. */
export function rowKeyOf(values: readonly (Buffer | null)[]): string {
  const [first] = values;
  if (values.length === 1) {
    return first?.toString('latin1') ?? '';
  }
  let key = '';
  for (const bytes of values) {
    const text = bytes?.toString('latin1') ?? '';
    key += `${text}\u0000${text.length}\u0001`;
  }
  return key;
}

/**
 * The tuple that holds the key the row had before the change. The old tuple is sent when any column of the replica
 * identity changed, filter columns included, so its presence alone says nothing about the key.
 */
export function oldKeyTuple(change: Change): Tuple {
  const tuple = change.old ?? change.new;
  if (!tuple) {
    throw new RangeError('a change without a row');
  }
  return tuple;
}
