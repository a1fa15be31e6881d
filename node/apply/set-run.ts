/**
 * A slice as sets: per segment and table deletes, updates grouped by the columns they carry, inserts; all sent before
 * the first answer is read. `misfit` when the counts are not those of a copy that was level before.
 */
import type { Transaction } from '../pgoutput/part.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { TributaryError } from '../errors.ts';
import { bind, type Form, formOf, params } from './binding.ts';
import { collapse, type Collapsed, type KeyedRow, type UpdatedRow } from './collapse.ts';
import { type Layout, lacksValue, type MappedColumn } from './layout.ts';
import { type Segment, segments, type TableChanges } from './segment.ts';
import {
  deleteSql,
  foreignSql,
  insertSql,
  truncateSql,
  updateSql,
  upsertSql,
} from './statements.ts';
import { stepTable, newSteps } from './step-run.ts';
import { leaveForeign, noteUnenforced, type Work } from './work.ts';

/** insert: rows that are new are expected not to be here. upsert: they may be, and rows to update may be missing. */
export type SetMode = 'insert' | 'upsert';

/** What was sent, and what its answer must be. */
interface Sent {
  readonly expect: 'delete' | 'passing' | 'update' | 'insert' | 'put_insert' | 'put_update' | 'any';
  readonly layout: Layout;
  readonly count: number;
  readonly answer: Promise<Answer>;
  /** Finds the origins of the rows a delete left here. */
  readonly foreign?: { readonly text: string; readonly values: readonly unknown[] };
}

interface Answer {
  readonly rowCount: number | null;
  readonly rows: readonly unknown[];
}

/**
 * Applies the transactions inside the transaction that is open. After `misfit` or an exception the caller rolls back.
 * @throws the database's error; TributaryError value_missing | origin_violation | drifted | text_needed
 */
export async function runSets(
  transactions: readonly Transaction[],
  mode: SetMode,
  work: Work,
): Promise<'applied' | 'misfit'> {
  const sent: Sent[] = [];
  const send = (statement: Statement): void => {
    const answer = work.query(statement.text, statement.values);
    // Read in order below; a failure of the first makes the later ones fail too.
    answer.catch(() => {});
    sent.push({ ...statement, answer });
  };
  const cut = measured(work, () => segments(transactions, work));
  for (const segment of cut) {
    if (!measured(work, () => sendSegment(segment, mode, { work, send }))) {
      await Promise.allSettled(sent.map(async (each) => await each.answer));
      return 'misfit';
    }
    if (segment.kind === 'tables' && segment.tables.some(isStepwise)) {
      const fit = await readAnswers(sent.splice(0), work);
      if (!fit) {
        return 'misfit';
      }
      await runStepwise(segment.tables.filter(isStepwise), work);
    }
  }
  return (await readAnswers(sent, work)) ? 'applied' : 'misfit';
}

function measured<T>(work: Work, act: () => T): T {
  const started = performance.now();
  const result = act();
  work.spent.prepareMs += performance.now() - started;
  return result;
}

interface Statement extends Omit<Sent, 'answer'> {
  readonly text: string;
  readonly values: readonly unknown[];
}

interface Sender {
  readonly work: Work;
  readonly send: (statement: Statement) => void;
}

/** False when the order of the changes matters. */
function sendSegment(segment: Segment, mode: SetMode, sender: Sender): boolean {
  if (segment.kind === 'truncate') {
    for (const layout of segment.layouts) {
      const values = [sender.work.origins];
      sender.send({ expect: 'any', layout, count: 0, text: truncateSql(layout), values });
    }
    return true;
  }
  for (const { layout, changes } of segment.tables) {
    if (layout.target.stepwise) {
      continue;
    }
    const collapsed = collapse(changes, layout.keyIndexes);
    if (collapsed.ambiguous || (mode === 'upsert' && !layout.target.keyIsUnique)) {
      return false;
    }
    sendTable(layout, collapsed, mode, sender);
  }
  return true;
}

function sendTable(layout: Layout, collapsed: Collapsed, mode: SetMode, sender: Sender): void {
  const { deletes, passing, updates, inserts } = collapsed;
  if (inserts.some(({ tuple }) => lacksValue(tuple, layout))) {
    throw new TributaryError('value_missing', { table: layout.table });
  }
  const { work, send } = sender;
  const first = (deletes[0] ?? passing[0] ?? updates[0] ?? inserts[0])?.tuple;
  if (!first) {
    return;
  }
  const table = new TableStatements(layout, formOf(layout, first), work.origins);
  if (deletes.length > 0) {
    send(table.remove('delete', deletes));
  }
  if (passing.length > 0) {
    send(table.remove('passing', passing));
  }
  for (const group of groupByColumns(updates, layout)) {
    send(
      mode === 'upsert' && group.whole && !group.keyChanged
        ? table.put('put_update', group.rows)
        : table.update(group),
    );
  }
  if (inserts.length > 0) {
    send(mode === 'upsert' ? table.put('put_insert', inserts) : table.insert(inserts));
  }
  noteUnenforced(
    work,
    layout,
    [...updates, ...inserts].map(({ tuple }) => tuple),
  );
}

/** The statements of one table, all in one form. */
class TableStatements {
  readonly #layout: Layout;
  readonly #form: Form;
  readonly #origins: Buffer;

  constructor(layout: Layout, form: Form, origins: Buffer) {
    this.#layout = layout;
    this.#form = form;
    this.#origins = origins;
  }

  remove(expect: 'delete' | 'passing', rows: readonly KeyedRow[]): Statement {
    const layout = this.#layout;
    const key = params(layout.key, this.#form);
    const values = [...bind(key, tuples(rows), layout.table), this.#origins];
    return {
      expect,
      layout,
      count: rows.length,
      text: deleteSql(layout, key),
      values,
      foreign: { text: foreignSql(layout, key), values },
    };
  }

  update(group: UpdateGroup): Statement {
    const layout = this.#layout;
    const key = params(layout.key, this.#form);
    const columns = params(group.columns, this.#form);
    return {
      expect: 'update',
      layout,
      count: group.rows.length,
      text: updateSql(layout, { key, values: columns }),
      values: [
        ...bind(
          key,
          group.rows.map((row) => row.old),
          layout.table,
        ),
        ...bind(columns, tuples(group.rows), layout.table),
        this.#origins,
      ],
    };
  }

  insert(rows: readonly KeyedRow[]): Statement {
    const columns = params(this.#layout.columns, this.#form);
    return {
      expect: 'insert',
      layout: this.#layout,
      count: rows.length,
      text: insertSql(this.#layout, columns),
      values: this.#row(columns, rows),
    };
  }

  put(expect: 'put_insert' | 'put_update', rows: readonly KeyedRow[]): Statement {
    const columns = params(this.#layout.columns, this.#form);
    return {
      expect,
      layout: this.#layout,
      count: rows.length,
      text: upsertSql(this.#layout, columns),
      values: [...this.#row(columns, rows), this.#origins],
    };
  }

  #row(columns: ReturnType<typeof params>, rows: readonly KeyedRow[]): unknown[] {
    const { origin, table } = this.#layout;
    const arrays = bind(columns, tuples(rows), table);
    return origin.kind === 'stamped' ? [...arrays, origin.name] : [...arrays];
  }
}

export interface UpdateGroup {
  readonly columns: readonly MappedColumn[];
  /** Every stored column has a value. */
  readonly whole: boolean;
  readonly keyChanged: boolean;
  readonly rows: UpdatedRow[];
}

/** Updates that set the same columns go together; the key is set only where it changes. */
export function groupByColumns(
  updates: readonly UpdatedRow[],
  layout: Layout,
): readonly UpdateGroup[] {
  const groups = new Map<string, UpdateGroup>();
  for (const row of updates) {
    const present = layout.columns.filter(
      ({ index }) => !row.tuple.hasUnchanged || row.tuple.kind(index) !== 'unchanged',
    );
    const whole = present.length === layout.columns.length;
    const name = `${row.keyChanged ? 'k' : ''}${whole ? '' : present.map(({ index }) => index).join()}`;
    const group = groups.get(name);
    if (group) {
      group.rows.push(row);
    } else {
      const columns = present.filter(
        ({ index }) => row.keyChanged || !layout.keyIndexes.includes(index),
      );
      groups.set(name, { columns, whole, keyChanged: row.keyChanged, rows: [row] });
    }
  }
  return [...groups.values()];
}

async function readAnswers(sent: readonly Sent[], work: Work): Promise<boolean> {
  const answers = await Promise.allSettled(sent.map(async (each) => await each.answer));
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (failed) {
    throw failed.reason;
  }
  for (const each of sent) {
    if (!(await fits(each, await each.answer, work))) {
      return false;
    }
  }
  return true;
}

async function fits(sent: Sent, answer: Answer, work: Work): Promise<boolean> {
  const { layout, count } = sent;
  const affected = answer.rowCount ?? 0;
  switch (sent.expect) {
    case 'any':
      return true;
    case 'insert':
    case 'update':
      return affected === count;
    case 'delete':
    case 'passing': {
      if (affected >= count || !sent.foreign) {
        return true;
      }
      const { rows } = await work.query(sent.foreign.text, sent.foreign.values);
      const left = leaveForeign(work, layout, rows as { origin: string | null; count: number }[]);
      if (sent.expect === 'delete') {
        work.tally.conflict('delete_missing', layout.table, count - affected - left);
      }
      return true;
    }
    case 'put_insert':
    case 'put_update': {
      const [{ written, before } = { written: 0, before: 0 }] = answer.rows as {
        written: number;
        before: number;
      }[];
      work.tally.conflict(
        sent.expect === 'put_insert' ? 'insert_exists' : 'update_missing',
        layout.table,
        sent.expect === 'put_insert' ? before : count - before,
      );
      return written === count;
    }
    default:
      throw new RangeError(sent.expect satisfies never);
  }
}

function isStepwise({ layout }: TableChanges): boolean {
  return layout.target.stepwise;
}

async function runStepwise(tables: readonly TableChanges[], work: Work): Promise<void> {
  const steps = newSteps(work);
  for (const table of tables) {
    await stepTable(table, steps);
  }
  steps.end();
}

function tuples(rows: readonly KeyedRow[]): readonly Tuple[] {
  return rows.map(({ tuple }) => tuple);
}
