/**
 * Changes one after the other, in commit order: the way in for sequences that only succeed in their order. Every
 * statement is that of a set with one row, so plans are shared.
 */
import { because, type ParkCause } from '../parking/parked-key.ts';
import type { Change } from '../pgoutput/change.ts';
import type { Transaction } from '../pgoutput/part.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { removal } from './admission.ts';
import { bind, formOf, params } from './binding.ts';
import { parkCause } from './failure.ts';
import { type Layout, lacksValue } from './layout.ts';
import { identity } from './part-parking.ts';
import { oldKeyTuple } from './row-key.ts';
import { segments } from './segment.ts';
import {
  deleteSql,
  insertSql,
  isAlwaysIdentity,
  originSql,
  replaceSql,
  truncateSql,
  updateSql,
} from './statements.ts';
import { noteUnenforced, type Work } from './work.ts';

/**
 * Applies the transactions inside the transaction that is open. A key whose change fails is suspended, and its later
 * changes with it. @throws the database's error; TributaryError drifted
 */
export async function runSteps(transactions: readonly Transaction[], work: Work): Promise<void> {
  const steps = new Steps(work);
  for (const transaction of transactions) {
    for (const change of transaction.changes) {
      for (const segment of segments([{ ...transaction, changes: [change] }], work)) {
        if (segment.kind === 'truncate') {
          for (const layout of segment.layouts) {
            await work.query(truncateSql(layout), [work.removable]);
          }
        } else {
          for (const { layout, changes } of segment.tables) {
            await steps.guarded(layout, changes);
          }
        }
      }
    }
  }
}

export class Steps {
  readonly #work: Work;

  constructor(work: Work) {
    this.#work = work;
  }

  /** The changes in order; one that fails is undone and its key suspended. */
  async guarded(layout: Layout, changes: readonly Change[]): Promise<void> {
    const { command, parking } = this.#work;
    for (const change of changes) {
      // A change before may have suspended the key.
      if (!parking.quiet && !parking.takes(layout, change)) {
        continue;
      }
      const marked = command('savepoint tributary_step');
      const [, stepped] = await Promise.allSettled([marked, this.step(layout, change)]);
      if (stepped.status === 'fulfilled') {
        await command('release savepoint tributary_step');
      }
      const cause =
        stepped.status === 'fulfilled' ? stepped.value : parkCause(stepped.reason, layout.table);
      if (stepped.status === 'rejected') {
        await Promise.all([
          command('rollback to savepoint tributary_step'),
          command('release savepoint tributary_step'),
        ]);
      }
      if (cause) {
        parking.suspend(layout, change, cause);
      }
    }
  }

  /** Null: done. Otherwise nothing was changed, and why. @throws the database's error. */
  async step(layout: Layout, change: Change): Promise<ParkCause | null> {
    if (change.kind === 'delete') {
      return await this.#delete(layout, oldKeyTuple(change));
    }
    if (!change.new) {
      throw new RangeError('an insert or update without a new row');
    }
    const cause =
      change.kind === 'insert'
        ? await this.#insert(layout, change.new)
        : await this.#update(layout, oldKeyTuple(change), change.new);
    if (!cause) {
      noteUnenforced(this.#work, layout, [change.new]);
    }
    return cause;
  }

  async #insert(layout: Layout, tuple: Tuple): Promise<ParkCause | null> {
    if (lacksValue(tuple, layout)) {
      return because('value_missing');
    }
    const origin = await this.#originOf(layout, tuple);
    if (origin === undefined) {
      await this.#create(layout, tuple);
      return null;
    }
    if (!this.#own(origin)) {
      return because('origin_violation');
    }
    this.#work.tally.conflict('insert_exists', layout.table);
    await this.#change(layout, tuple, tuple);
    return null;
  }

  async #update(layout: Layout, old: Tuple, tuple: Tuple): Promise<ParkCause | null> {
    if ((await this.#change(layout, old, tuple)) > 0) {
      return null;
    }
    const origin = await this.#originOf(layout, old);
    if (origin !== undefined) {
      return because('origin_violation');
    }
    if (lacksValue(tuple, layout)) {
      return because('update_missing');
    }
    this.#work.tally.conflict('update_missing', layout.table);
    await this.#create(layout, tuple);
    return null;
  }

  async #delete(layout: Layout, old: Tuple): Promise<ParkCause | null> {
    const { query, removable, tally, scope } = this.#work;
    const key = params(layout.key, formOf(layout, old));
    const values = [...bind(key, [old], layout.table), removable];
    const { rowCount } = await query(deleteSql(layout, key), values);
    if ((rowCount ?? 0) > 0) {
      return null;
    }
    const origin = await this.#originOf(layout, old);
    if (origin === undefined) {
      tally.conflict('delete_missing', layout.table);
    } else if (removal(scope, origin) === 'rerouted') {
      tally.conflict('rerouted', layout.table);
    } else {
      return because('origin_violation');
    }
    return null;
  }

  async #create(layout: Layout, tuple: Tuple): Promise<void> {
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
    const values = [
      ...bind(key, [old], layout.table),
      ...bind(columns, [tuple], layout.table),
      this.#work.origins,
    ];
    const sql = { key, values: columns };
    const { rowCount } = await this.#work.query(updateSql(layout, sql), values);
    if (rowCount === 0 && columns.some(isAlwaysIdentity)) {
      return (await this.#work.query(replaceSql(layout, sql), values)).rowCount ?? 0;
    }
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
