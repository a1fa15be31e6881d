/** How many rows are compared at once next, from what became of those before. Pure. */

/** Of the first, few: a table that changes all the time is seldom equal as a whole, and this is what it costs. */
const first = { rows: 131_072, leastRows: 64, bytes: 64 << 20 } as const;
const most = { rows: 1 << 22, growth: 8, longMs: 4000, shortMs: 500 } as const;
/** Of a table that may be asked for to its end, whatever its estimate says of the rows: a matter of seconds. */
const smallBytes = 512 << 20;

export interface Stride {
  /** Of the next question. */
  readonly rows: number;
  /** No more for now: as many differed lately. */
  readonly most: number;
  /** Questions that differed, one behind the other. */
  readonly differed: number;
}

/** Rows of the first one, where a row takes so many bytes: every byte is hashed, and there is a limit of time. */
export function firstCoarse(rowBytes: number): number {
  const rows = Math.floor(first.bytes / Math.max(1, rowBytes));
  return Math.min(first.rows, Math.max(first.leastRows, rows));
}

/**
 * All rows of a table that is small on the disk: nothing is read in the order of its key, and should they differ it is seconds
 * that were in vain. Of a larger one so many as `atOnce`.
 */
export function firstRows(
  atOnce: number,
  { expected, bytes }: { readonly expected: number; readonly bytes: number },
): number {
  return bytes <= smallBytes ? Math.max(atOnce, expected) : atOnce;
}

export function firstStride(rows: number): Stride {
  return { rows, most: most.rows, differed: 0 };
}

/** A question of wide rows takes long, and both sides have a limit of time for it. */
export function afterEqual(stride: Stride, tookMs: number): Stride {
  const greatest = Math.min(most.rows, stride.most * 2);
  const { rows } = stride;
  if (tookMs > most.longMs) {
    return { rows: Math.max(1, rows >> 1), most: greatest, differed: 0 };
  }
  const wanted = tookMs < most.shortMs ? rows * most.growth : rows;
  return { rows: Math.min(greatest, wanted), most: greatest, differed: 0 };
}

/**
 * What then. `finely`: how many rows behind those of the question are compared by blocks with them, for a table that changes
 * all the time, or differs all over, is asked as a whole less and less often. Null: they were many, and what differs is
 * looked for by the same question of fewer.
 */
export function afterDiffering(
  stride: Stride,
  atOnce: number,
): { readonly stride: Stride; readonly finely: number | null } {
  if (stride.rows > atOnce) {
    return { stride: { rows: atOnce, most: atOnce, differed: 0 }, finely: null };
  }
  const differed = stride.differed + 1;
  return {
    stride: { ...stride, differed },
    finely: differed === 1 ? 0 : atOnce * 2 ** differed,
  };
}

/** Whether the rest may be one question. An estimate may be wrong by any factor, the bytes of the table are not. */
export function isRest(
  { rows }: Stride,
  { expected, bytes }: { readonly expected: number; readonly bytes: number },
): boolean {
  return expected <= rows && bytes <= smallBytes;
}
