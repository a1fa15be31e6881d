/** What one local transaction did, counted apart so that a rolled back attempt counts nothing. */
import type { Step } from '../pgoutput/part.ts';

export interface RowCounts {
  readonly insert: number;
  readonly update: number;
  readonly delete: number;
  readonly truncate: number;
}

/**
 * PostgreSQL's names of conflicts; `origin_violation`, parked; `rerouted`, left; `adopted`, taken over; `outside_set` for
 * relations that are not of the replication set.
 */
export type Conflict =
  | 'insert_exists'
  | 'update_origin_differs'
  | 'update_exists'
  | 'update_missing'
  | 'delete_origin_differs'
  | 'delete_missing'
  | 'multiple_unique_conflicts'
  | 'origin_violation'
  | 'rerouted'
  | 'adopted'
  | 'outside_set';

export class Tally {
  readonly #rows = new Map<string, { -readonly [Kind in keyof RowCounts]: RowCounts[Kind] }>();
  readonly #conflicts = new Map<string, number>();

  /** By table, as sent by the provider. */
  get rows(): ReadonlyMap<string, RowCounts> {
    return this.#rows;
  }

  /** By `<conflict> <schema>.<table>`. */
  get conflicts(): ReadonlyMap<string, number> {
    return this.#conflicts;
  }

  row(table: string, kind: Exclude<Step['kind'], 'message'>, count = 1): void {
    let counts = this.#rows.get(table);
    if (!counts) {
      counts = { insert: 0, update: 0, delete: 0, truncate: 0 };
      this.#rows.set(table, counts);
    }
    counts[kind] += count;
  }

  conflict(conflict: Conflict, table: string, count = 1): void {
    if (count > 0) {
      const name = `${conflict} ${table}`;
      this.#conflicts.set(name, (this.#conflicts.get(name) ?? 0) + count);
    }
  }

  add(other: Tally): void {
    for (const [table, counts] of other.rows) {
      for (const kind of ['insert', 'update', 'delete', 'truncate'] as const) {
        if (counts[kind] > 0) {
          this.row(table, kind, counts[kind]);
        }
      }
    }
    for (const [name, count] of other.conflicts) {
      this.#conflicts.set(name, (this.#conflicts.get(name) ?? 0) + count);
    }
  }
}
