/**
 * Changes one after the other, in commit order: the way in for sequences that only succeed in their order, and what
 * names the one row that can not be stored. Every statement is that of a set with one row, so plans are shared.
 */
import { TributaryError } from '../errors.ts';
import type { Change } from '../pgoutput/change.ts';
import type { Transaction } from '../pgoutput/part.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { bind, formOf, params } from './binding.ts';
import { rowFailure } from './failure.ts';
import { type Layout, lacksValue } from './layout.ts';
import { oldKeyTuple, rowKey } from './row-key.ts';
import { segments, type TableChanges } from './segment.ts';
import { deleteSql, insertSql, originSql, truncateSql, updateSql } from './statements.ts';
import { leaveForeign, noteUnenforced, violation, type Work } from './work.ts';

/** Applies the transactions inside the transaction that is open. @throws TributaryError */
export async function runSteps(transactions: readonly Transaction[], work: Work): Promise<void> {
  const steps = newSteps(work);
  for (const transaction of transactions) {
    for (const change of transaction.changes) {
      for (const segment of segments([{ ...transaction, changes: [change] }], work)) {
        if (segment.kind === 'truncate') {
          for (const layout of segment.layouts) {
            await steps.truncate(layout);
          }
        } else {
          for (const table of segment.tables) {
            await stepTable(table, steps);
          }
        }
      }
    }
  }
  steps.end();
}

/** The changes of one table in order. */
export async function stepTable({ layout, changes }: TableChanges, steps: Steps): Promise<void> {
  for (const change of changes) {
    try {
      await steps.step(layout, change);
    } catch (error) {
      throw rowFailure(error, layout.table);
    }
  }
}

export function newSteps(work: Work): Steps {
  return new Steps(work);
}

export class Steps {
  readonly #work: Work;
  /** Rows that arrived without an out-of-line value; a later change may bring it, or remove the row. */
  readonly #owed = new Map<string, Layout>();

  constructor(work: Work) {
    this.#work = work;
  }

  async step(layout: Layout, change: Change): Promise<void> {
    if (change.kind === 'delete') {
      await this.#delete(layout, oldKeyTuple(change));
      return;
    }
    if (!change.new) {
      throw new RangeError('an insert or update without a new row');
    }
    noteUnenforced(this.#work, layout, [change.new]);
    if (change.kind === 'insert') {
      await this.#insert(layout, change.new);
    } else {
      await this.#update(layout, oldKeyTuple(change), change.new);
    }
  }

  async truncate(layout: Layout): Promise<void> {
    await this.#work.query(truncateSql(layout), [this.#work.origins]);
  }

  /** @throws TributaryError value_missing when a row was never completed. */
  end(): void {
    const [layout] = this.#owed.values();
    if (layout) {
      throw new TributaryError('value_missing', { table: layout.table });
    }
  }

  async #insert(layout: Layout, tuple: Tuple): Promise<void> {
    const origin = await this.#originOf(layout, tuple);
    if (origin === undefined) {
      await this.#create(layout, tuple);
      return;
    }
    if (!this.#own(origin)) {
      throw violation(this.#work, layout);
    }
    if (lacksValue(tuple, layout)) {
      this.#owed.set(identity(layout, tuple), layout);
      return;
    }
    this.#work.tally.conflict('insert_exists', layout.table);
    await this.#change(layout, tuple, tuple);
  }

  async #update(layout: Layout, old: Tuple, tuple: Tuple): Promise<void> {
    if ((await this.#change(layout, old, tuple)) > 0) {
      return;
    }
    const origin = await this.#originOf(layout, old);
    if (origin === undefined) {
      if (!this.#owed.delete(identity(layout, old))) {
        this.#work.tally.conflict('update_missing', layout.table);
      }
      await this.#create(layout, tuple);
    } else if (!this.#own(origin)) {
      throw violation(this.#work, layout);
    }
  }

  async #delete(layout: Layout, old: Tuple): Promise<void> {
    const key = params(layout.key, formOf(layout, old));
    const values = [...bind(key, [old], layout.table), this.#work.origins];
    const { rowCount } = await this.#work.query(deleteSql(layout, key), values);
    const owed = this.#owed.delete(identity(layout, old));
    if ((rowCount ?? 0) > 0) {
      return;
    }
    const origin = await this.#originOf(layout, old);
    if (origin === undefined) {
      this.#work.tally.conflict('delete_missing', layout.table, owed ? 0 : 1);
    } else if (!this.#own(origin)) {
      leaveForeign(this.#work, layout, [{ origin, count: 1 }]);
    }
  }

  async #create(layout: Layout, tuple: Tuple): Promise<void> {
    if (lacksValue(tuple, layout)) {
      this.#owed.set(identity(layout, tuple), layout);
      return;
    }
    const columns = params(layout.columns, formOf(layout, tuple));
    const values: unknown[] = [...bind(columns, [tuple], layout.table)];
    if (layout.origin.kind === 'stamped') {
      values.push(layout.origin.name);
    }
    await this.#work.query(insertSql(layout, columns), values);
  }

  /** Rows changed: those that stand here under the old key, of the subtree. */
  async #change(layout: Layout, old: Tuple, tuple: Tuple): Promise<number> {
    const form = formOf(layout, tuple);
    const keyChanged = identity(layout, old) !== identity(layout, tuple);
    const key = params(layout.key, form);
    const columns = params(
      layout.columns.filter(
        ({ index }) =>
          (keyChanged || !layout.keyIndexes.includes(index)) && tuple.kind(index) !== 'unchanged',
      ),
      form,
    );
    const { rowCount } = await this.#work.query(updateSql(layout, { key, values: columns }), [
      ...bind(key, [old], layout.table),
      ...bind(columns, [tuple], layout.table),
      this.#work.origins,
    ]);
    return rowCount ?? 0;
  }

  /** Undefined: no row of that key stands here. */
  async #originOf(layout: Layout, tuple: Tuple): Promise<string | null | undefined> {
    const key = params(layout.key, formOf(layout, tuple));
    const { rows } = await this.#work.query(
      originSql(layout, key),
      bind(key, [tuple], layout.table),
    );
    const [row] = rows as { origin: string | null }[];
    return row?.origin;
  }

  #own(origin: string | null): boolean {
    return origin !== null && this.#work.scope.subtree.has(origin);
  }
}

function identity(layout: Layout, tuple: Tuple): string {
  return `${layout.table}\u0000${rowKey(tuple, layout.keyIndexes)}`;
}
