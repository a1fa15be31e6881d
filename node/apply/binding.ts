/** Rows to the array parameters of a set-based statement, values untouched. */
import { TributaryError } from '../errors.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { encodeColumns, textOid } from './array-codec.ts';
import type { Layout, MappedColumn } from './layout.ts';
import type { Param } from './statements.ts';

export type Form = 'text' | 'binary';

/**
 * The form of a layout's values, told by a key: it is never null. A table that does not fit the binary form can not be
 * read at all. @throws TributaryError text_needed
 */
export function formOf(layout: Layout, tuple: Tuple): Form {
  const binary = layout.keyIndexes.some((index) => tuple.kind(index) === 'binary');
  if (binary && !layout.fitsBinary) {
    throw new TributaryError('text_needed', { table: layout.table });
  }
  return binary ? 'binary' : 'text';
}

export function params(columns: readonly MappedColumn[], form: Form): readonly Param[] {
  return columns.map(({ index, column }) => ({ index, column, form }));
}

/** One array per column. @throws TributaryError text_needed when a value has another form than its key. */
export function bind(
  columns: readonly Param[],
  tuples: readonly Tuple[],
  table: string,
): readonly Buffer[] {
  const arrays = encodeColumns(tuples, {
    columns: columns.map(({ index }) => index),
    form: columns[0]?.form ?? 'text',
    elementOids: columns.map(({ column, form }) => (form === 'text' ? textOid : column.typeOid)),
  });
  if (!arrays) {
    throw new TributaryError('text_needed', { table });
  }
  return arrays;
}
