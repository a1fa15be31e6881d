/**
 * What the answer of a set that went in says of rows that were not as expected: they stand here under another origin, or are
 * not here.
 */
import { because, type ParkCause } from '../parking/parked-key.ts';
import { removal } from './admission.ts';
import type { KeyedRow } from './collapse.ts';
import type { Answer } from './counted-set.ts';
import { type Layout, lacksValue } from './layout.ts';
import type { TableStatements } from './table-statements.ts';
import type { Conflict } from './tally.ts';
import type { Work } from './work.ts';

export interface SetVerdictOptions {
  readonly layout: Layout;
  readonly work: Work;
  readonly table: TableStatements;
  /** Nothing is left to the order of the changes. */
  readonly last: boolean;
  readonly refuse: (row: KeyedRow, cause: ParkCause) => void;
}

export class SetVerdict {
  readonly #options: SetVerdictOptions;
  readonly #missing: KeyedRow[] = [];
  #ordered = false;

  constructor(options: SetVerdictOptions) {
    this.#options = options;
  }

  /** Only one change after the other gets them in. */
  get ordered(): boolean {
    return this.#ordered;
  }

  /** Rows to be updated that are not here, and are whole; each is given once. */
  takeMissing(): readonly KeyedRow[] {
    return this.#missing.splice(0);
  }

  async judge(
    kind: 'delete' | 'passing' | 'update' | 'insert',
    rows: readonly KeyedRow[],
    outcome: Answer,
  ): Promise<void> {
    if (kind === 'insert') {
      await this.#inserted(rows, outcome);
    } else if (outcome.rowCount >= rows.length) {
      return;
    } else if (kind === 'update') {
      const changed = new Set((outcome.rows as { n: number }[]).map(({ n }) => n - 1));
      await this.#unchanged(rows.filter((_, index) => !changed.has(index)));
    } else {
      const left = await this.#foreign(rows, 'delete_origin_differs');
      if (kind === 'delete') {
        const { work, layout } = this.#options;
        work.tally.conflict('delete_missing', layout.table, rows.length - outcome.rowCount - left);
      }
    }
  }

  /** By place: the origin of the row that stands here. */
  async standing(rows: readonly KeyedRow[]): Promise<ReadonlyMap<number, string | null>> {
    const { text, values } = this.#options.table.standing(rows);
    const { rows: found } = await this.#options.work.query(text, values);
    return new Map(
      (found as { n: number; origin: string | null }[]).map(({ n, origin }) => [n - 1, origin]),
    );
  }

  /** Of rows that are inserted only, and not updated where they are here, there is nothing to say. */
  async #inserted(rows: readonly KeyedRow[], outcome: Answer): Promise<void> {
    const { work, layout, last } = this.#options;
    const [answer] = outcome.rows as { written: number; before: number }[];
    if (!answer) {
      return;
    }
    if (answer.written < rows.length) {
      const foreign = await this.#foreign(rows, 'insert_exists');
      // The others stand here with another identity that is generated always: a step writes such a row anew.
      this.#ordered ||= !last && answer.written + foreign < rows.length;
    }
    const own = answer.before - (rows.length - answer.written);
    work.tally.conflict('insert_exists', layout.table, own);
  }

  /** Rows to be updated that were not: of another origin, or not here. */
  async #unchanged(rows: readonly KeyedRow[]): Promise<void> {
    const { work, layout, last, refuse } = this.#options;
    const standing = await this.standing(rows);
    for (const [index, row] of rows.entries()) {
      const origin = standing.get(index) ?? null;
      if (origin !== null && work.scope.subtree.has(origin) && !last) {
        // An identity that is generated always is another one here: a step writes such a row anew.
        this.#ordered = true;
      } else if (standing.has(index)) {
        this.#violates(row, 'update_origin_differs');
      } else if (lacksValue(row.tuple, layout)) {
        work.tally.conflict('update_missing', layout.table);
        refuse(row, because('update_missing'));
      } else {
        work.tally.conflict('update_missing', layout.table);
        this.#missing.push({ key: row.key, tuple: row.tuple });
      }
    }
  }

  /** Refuses the rows whose key stands here under another origin, and leaves deletes that are rerouted; how many in all. */
  async #foreign(
    rows: readonly KeyedRow[],
    conflict: 'insert_exists' | 'delete_origin_differs',
  ): Promise<number> {
    const { work, layout } = this.#options;
    let count = 0;
    for (const [index, origin] of await this.standing(rows)) {
      const row = rows[index];
      const removes = conflict === 'delete_origin_differs';
      if (row && removes && removal(work.scope, origin) === 'rerouted') {
        count += 1;
        work.tally.conflict('rerouted', layout.table);
      } else if (row && (origin === null || !work.scope.subtree.has(origin))) {
        count += 1;
        this.#violates(row, conflict);
      }
    }
    return count;
  }

  #violates(row: KeyedRow, conflict: Conflict): void {
    const { work, layout, refuse } = this.#options;
    work.tally.conflict(conflict, layout.table);
    work.tally.conflict('origin_violation', layout.table);
    refuse(row, because('origin_violation'));
  }
}
