/** `measure` and `scatter` for tuples whose values do not lie side by side, by the methods that tell one column. */
import type { Slots, Tuple } from './tuple.ts';

type Columns = Pick<Tuple, 'kind' | 'byteLength' | 'copyValue'>;

export function measureByColumn(
  tuple: Columns,
  slots: Slots,
  { form, sizes }: { readonly form: 'text' | 'binary'; readonly sizes: Uint32Array },
): boolean {
  let fits = true;
  slots.forEach((slot, column) => {
    if (slot >= 0) {
      const length = Math.max(0, tuple.byteLength(column));
      sizes[slot] = (sizes[slot] ?? 0) + length;
      const kind = tuple.kind(column);
      fits &&= kind === form || kind === 'null';
    }
  });
  return fits;
}

export function scatterByColumn(
  tuple: Columns,
  slots: Slots,
  { targets, offsets }: { readonly targets: readonly Buffer[]; readonly offsets: Uint32Array },
): void {
  slots.forEach((slot, column) => {
    const target = targets[slot];
    if (target) {
      const at = offsets[slot] ?? 0;
      target.writeInt32BE(tuple.byteLength(column), at);
      offsets[slot] = at + 4 + tuple.copyValue(column, target, at + 4);
    }
  });
}
