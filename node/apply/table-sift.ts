/**
 * The collapsed changes of one table in counted sets. A row that fails by itself is refused at once; one that meets
 * another row is tried again after all others, as often as that lets one more in.
 */
import { because, type ParkCause } from '../parking/parked-key.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import type { Form } from './binding.ts';
import type { Collapsed, KeyedRow, UpdatedRow } from './collapse.ts';
import { type Failed, fire } from './counted-set.ts';
import { failsByItself } from './failure.ts';
import { type Layout, lacksValue } from './layout.ts';
import { PourQueue, type Range } from './pour-queue.ts';
import { rowKey } from './row-key.ts';
import { countUniqueConflicts, mayCircle, rivalsOf, type Stuck } from './rivals.ts';
import { SetVerdict } from './set-verdict.ts';
import {
  groupByColumns,
  standingTuple,
  type Statement,
  TableStatements,
  type UpdateGroup,
} from './table-statements.ts';
import { noteUnenforced, type Work } from './work.ts';

/** Rows that go in by one kind of statement. */
interface Batch {
  readonly kind: 'delete' | 'passing' | 'update' | 'insert';
  readonly rows: readonly KeyedRow[];
  readonly make: (rows: readonly KeyedRow[]) => Statement;
}

interface Suspect extends Stuck {
  readonly batch: Batch;
}

interface Fault {
  readonly set: Range;
  readonly failed: Failed;
  readonly queue: PourQueue;
}

export class TableSift {
  readonly #layout: Layout;
  readonly #work: Work;
  readonly #last: boolean;
  readonly #form: Form;
  readonly #table: TableStatements;
  readonly #suspects: Suspect[] = [];
  readonly #refused = new Set<Tuple>();
  readonly #verdict: SetVerdict;
  /** A row to be inserted stood here: the others may too. */
  #upserting = false;

  constructor(layout: Layout, form: Form, { work, last }: { work: Work; last: boolean }) {
    this.#layout = layout;
    this.#form = form;
    this.#work = work;
    this.#last = last;
    const { origins, removable } = work;
    this.#table = new TableStatements(layout, form, { origins, removable, counting: 'counted' });
    const refuse = (row: KeyedRow, cause: ParkCause): void => this.#refuse(row, cause);
    this.#verdict = new SetVerdict({ layout, work, table: this.#table, last, refuse });
  }

  /** False: only one change after the other gets them in, as when rows hand values on to each other in a circle. */
  async run({ deletes, passing, updates, inserts }: Collapsed): Promise<boolean> {
    const table = this.#table;
    for (const kind of ['delete', 'passing'] as const) {
      const rows = kind === 'delete' ? deletes : passing;
      await this.#pour({ kind, rows, make: (some) => table.remove(kind, some) });
    }
    for (const group of groupByColumns(updates, this.#layout)) {
      await this.#pour(this.#updating(group));
    }
    const whole = inserts.filter(({ tuple }) => this.#isWhole(tuple));
    await this.#insert(await this.#absent(whole));
    this.#upserting = true;
    await this.#insert(this.#verdict.takeMissing());
    const settled = await this.#settle();
    const written = [...updates, ...inserts].map(({ tuple }) => tuple);
    noteUnenforced(
      this.#work,
      this.#layout,
      // What can not be stored need not even fit the types it is compared in.
      written.filter((tuple) => !this.#refused.has(tuple)),
    );
    return settled && !this.#verdict.ordered;
  }

  /** Without a unique key PostgreSQL can not tell a row that is here from a new one: those that are here are updated. */
  async #absent(rows: readonly KeyedRow[]): Promise<readonly KeyedRow[]> {
    if (this.#layout.target.keyIsUnique || rows.length === 0) {
      return rows;
    }
    const standing = await this.#verdict.standing(rows);
    const here = rows.filter((_, index) => standing.has(index));
    const updates = here.map((row) => ({ ...row, old: row.tuple, keyChanged: false }));
    this.#work.tally.conflict('insert_exists', this.#layout.table, here.length);
    for (const group of groupByColumns(updates, this.#layout)) {
      await this.#pour(this.#updating(group));
    }
    return rows.filter((_, index) => !standing.has(index));
  }

  #updating(group: UpdateGroup): Batch {
    const make = (rows: readonly KeyedRow[]): Statement =>
      this.#table.update({ ...group, rows: rows as UpdatedRow[] });
    return { kind: 'update', rows: group.rows, make };
  }

  #isWhole(tuple: KeyedRow['tuple']): boolean {
    const whole = !lacksValue(tuple, this.#layout);
    if (!whole) {
      this.#refuse({ key: '', tuple }, because('value_missing'));
    }
    return whole;
  }

  #inserting(rows: readonly KeyedRow[]): Batch {
    const make = (some: readonly KeyedRow[]): Statement =>
      this.#upserting && this.#layout.target.keyIsUnique
        ? this.#table.put('put_insert', some)
        : this.#table.insert(some.map(({ tuple }) => tuple));
    return { kind: 'insert', rows, make };
  }

  /** A row whose key is still held by one that is to move on is tried when that has moved: it would be put in its place. */
  async #insert(rows: readonly KeyedRow[]): Promise<void> {
    const holders = this.#holders(this.#suspects);
    const free: KeyedRow[] = [];
    for (const row of rows) {
      const holder = holders.get(rowKey(row.tuple, this.#layout.keyIndexes));
      if (holder) {
        const { cause } = holder;
        this.#suspects.push({ batch: this.#inserting([row]), row, cause, inserted: true });
      } else {
        free.push(row);
      }
    }
    await this.#pour(this.#inserting(free));
  }

  /** Rows that wait and will move to another key, by the key they stand at. */
  #holders(suspects: readonly Suspect[]): ReadonlyMap<string, Suspect> {
    return new Map(
      suspects
        .filter(({ row }) => 'keyChanged' in row && row.keyChanged)
        .map((suspect) => [suspect.row.key, suspect]),
    );
  }

  async #pour(whole: Batch): Promise<void> {
    const batch = await this.#withoutOffenders(whole);
    const queue = new PourQueue(batch.rows.length);
    for (let sets = queue.next(); sets.length > 0; sets = queue.next()) {
      const rows = sets.map(({ from, to }) => batch.rows.slice(from, to));
      const { went, failed } = await fire(rows.map(batch.make), this.#work);
      for (const [index, answer] of went.entries()) {
        await this.#verdict.judge(batch.kind, rows[index] ?? [], answer);
        queue.went(sets[index]?.to ?? 0);
      }
      const set = sets[went.length];
      if (failed && set) {
        this.#fault(batch, { set, failed, queue });
        if (asks(batch) && (await this.#work.offences.learn(failed.cause, this.#rivalry()))) {
          const left = queue.left.flatMap(({ from, to }) => batch.rows.slice(from, to));
          await this.#pour({ ...batch, rows: left });
          return;
        }
      } else {
        queue.allWent();
      }
    }
  }

  /** Rows that break a constraint which others have broken are set aside before they are tried. */
  async #withoutOffenders(batch: Batch): Promise<Batch> {
    if (!asks(batch)) {
      return batch;
    }
    const offenders = await this.#work.offences.offenders(batch.rows, this.#rivalry());
    offenders.forEach((cause, row) => this.#set(batch, row, cause));
    return offenders.size === 0
      ? batch
      : { ...batch, rows: batch.rows.filter((row) => !offenders.has(row)) };
  }

  /** What to do about a set that failed. */
  #fault(batch: Batch, { set, failed, queue }: Fault): void {
    const { cause, at } = failed;
    const { from, to } = set;
    const inserts = batch.kind === 'insert';
    if (inserts && !this.#upserting && this.#ofKey(cause)) {
      this.#upserting = true;
    } else if (to - from === 1) {
      this.#set(batch, batch.rows[from], cause);
      queue.without(from, set);
    } else if (at === null || at === to - from - 1) {
      // After the last row comes what fails for the set as a whole, such as a statement's trigger.
      queue.halve(set);
    } else if (inserts) {
      this.#set(batch, batch.rows[from + at], cause);
      queue.without(from + at, set);
    } else {
      queue.alone(from + at, set);
    }
  }

  /** A row of the key stands here: others may too. */
  #ofKey({ sqlstate, constraint }: ParkCause): boolean {
    const { uniques, key } = this.#layout.target;
    const index = uniques.find(({ name }) => name === constraint);
    return sqlstate === '23505' && (!index || index.columns.every((name) => key.includes(name)));
  }

  /** The row is set aside. */
  #set(batch: Batch, row: KeyedRow | undefined, cause: ParkCause): void {
    if (!row) {
      return;
    }
    if (failsByItself(cause)) {
      this.#refuse(row, cause);
    } else {
      this.#suspects.push({ batch, row, cause, inserted: batch.kind === 'insert' });
    }
  }

  /** The rows that met others, now that those are where they belong. */
  async #settle(): Promise<boolean> {
    let pending: readonly Suspect[] = this.#suspects.splice(0);
    for (let before = Infinity; pending.length > 0 && pending.length < before;) {
      before = pending.length;
      const rivals = await rivalsOf(pending, this.#rivalry());
      const holders = this.#holders(pending);
      const free = pending.filter(
        (one) => (rivals.get(one) ?? 0) === 0 && !(one.inserted && this.#isHeld(one, holders)),
      );
      for (const { batch, row } of free) {
        await this.#pour({ ...batch, rows: [row] });
      }
      await this.#insert(this.#verdict.takeMissing());
      pending = [...pending.filter((one) => !free.includes(one)), ...this.#suspects.splice(0)];
    }
    if (!this.#last && (await mayCircle(pending, this.#rivalry()))) {
      return false;
    }
    await countUniqueConflicts(pending, this.#rivalry());
    pending.forEach(({ row, cause }) => this.#refuse(row, cause));
    return true;
  }

  #isHeld({ row }: Suspect, holders: ReadonlyMap<string, Suspect>): boolean {
    return holders.has(rowKey(row.tuple, this.#layout.keyIndexes));
  }

  #rivalry(): { layout: Layout; form: Form; work: Work } {
    return { layout: this.#layout, form: this.#form, work: this.#work };
  }

  /** Of a row whose key changes both keys are parked. */
  #refuse(row: KeyedRow | UpdatedRow, cause: ParkCause): void {
    const layout = this.#layout;
    this.#refused.add(row.tuple);
    this.#work.refuse({ layout, tuple: row.tuple, cause, waitsFor: null });
    if ('keyChanged' in row && row.keyChanged) {
      this.#work.refuse({ layout, tuple: standingTuple(row), cause, waitsFor: null });
    }
  }
}

/** Of a single row trying tells as soon as asking. */
function asks({ kind, rows }: Batch): boolean {
  return (kind === 'insert' || kind === 'update') && rows.length > 1;
}
