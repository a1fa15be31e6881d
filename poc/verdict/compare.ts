/** What differs between the rows that have to be at a place and those that are there. Pure. */
import { createHash } from 'node:crypto';
import type { Rows } from './fingerprint.ts';

export interface Difference {
  readonly place: string;
  readonly table: string;
  /** Keys that have to be here and are not. */
  readonly missing: number;
  /** Keys that are here and must not be. */
  readonly surplus: number;
  /** Keys whose rows differ in a column. */
  readonly unequal: number;
  /** true: not even the columns are the same. */
  readonly columns: boolean;
}

/** All rows of several places; a key that two of them have counts once, as the last says. */
export function union(parts: readonly Rows[]): Rows {
  const prints = new Map<string, string>();
  for (const part of parts) {
    for (const [key, print] of part.prints) {
      prints.set(key, print);
    }
  }
  return { columns: parts[0]?.columns ?? [], prints };
}

/** null: equal. */
export function compare(
  at: { readonly place: string; readonly table: string },
  expected: Rows,
  actual: Rows,
): Difference | null {
  let missing = 0;
  let unequal = 0;
  for (const [key, print] of expected.prints) {
    const found = actual.prints.get(key);
    if (found === undefined) {
      missing += 1;
    } else if (found !== print) {
      unequal += 1;
    }
  }
  const surplus = [...actual.prints.keys()].filter((key) => !expected.prints.has(key)).length;
  const columns = JSON.stringify(expected.columns) !== JSON.stringify(actual.columns);
  return missing + unequal + surplus > 0 || columns
    ? { ...at, missing, surplus, unequal, columns }
    : null;
}

/** One digest of all rows, the same wherever the same rows are. */
export function digest(rows: Rows): string {
  const hash = createHash('sha256').update(rows.columns.join(','));
  for (const key of [...rows.prints.keys()].sort()) {
    hash.update(`\n${key} ${rows.prints.get(key) ?? ''}`);
  }
  return hash.digest('hex');
}
