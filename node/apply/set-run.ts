/**
 * A slice as sets: per segment and table deletes, updates grouped by the columns they carry, inserts; all sent before
 * the first answer is read. `misfit` when the counts are not those of a copy that was level before, or a row
 * lacks a value.
 */
import type { Change } from '../pgoutput/change.ts';
import type { Transaction } from '../pgoutput/part.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { formOf } from './binding.ts';
import { collapse, type Collapsed } from './collapse.ts';
import { type Layout, lacksValue } from './layout.ts';
import { type Segment, segments, type TableChanges } from './segment.ts';
import { truncateSql } from './statements.ts';
import { Steps } from './step-run.ts';
import { groupByColumns, type Statement, TableStatements } from './table-statements.ts';
import { leaveForeign, noteUnenforced, type Work } from './work.ts';

/** insert: rows that are new are expected not to be here. upsert: they may be, and rows to update may be missing. */
export type SetMode = 'insert' | 'upsert';

interface Sent extends Statement {
  readonly answer: Promise<Answer>;
}

interface Answer {
  readonly rowCount: number | null;
  readonly rows: readonly unknown[];
}

async function ask({ text, values, copied }: Statement, work: Work): Promise<Answer> {
  return copied
    ? { rows: [], rowCount: (await work.copy(text, copied)).rowCount }
    : await work.query(text, values);
}

/**
 * Applies the transactions inside the transaction that is open. After `misfit` or an exception the caller rolls back.
 * @param ending given: statements that can tell by themselves whether they fit fail where they do not; it is called when all
 *   are sent and all are of that kind, and what it sends is only done where they fit
 * @throws the database's error; TributaryError drifted | text_needed
 */
export async function runSets(
  transactions: readonly Transaction[],
  mode: SetMode,
  work: Work,
  ending?: () => void,
): Promise<'applied' | 'misfit'> {
  const sent: Sent[] = [];
  const send = (statement: Statement): void => {
    const answer = ask(statement, work);
    // Read in order below; a failure of the first makes the later ones fail too.
    answer.catch(() => {});
    sent.push({ ...statement, answer });
  };
  const cut = measured(work, () => segments(transactions, work));
  for (const segment of cut) {
    if (
      !measured(work, () => sendSegment(segment, mode, { work, send, exact: ending !== undefined }))
    ) {
      await Promise.allSettled(sent.map(async (each) => await each.answer));
      return 'misfit';
    }
    if (segment.kind === 'tables' && segment.tables.some(isStepwise)) {
      const fit = await readAnswers(sent.splice(0), work);
      if (!fit) {
        return 'misfit';
      }
      if (!(await runStepwise(segment.tables.filter(isStepwise), work))) {
        return 'misfit';
      }
    }
  }
  if (ending && tellThemselves(cut, sent) && work.unenforced.size === 0) {
    ending();
  }
  return (await readAnswers(sent, work)) ? 'applied' : 'misfit';
}

function tellThemselves(cut: readonly Segment[], sent: readonly Sent[]): boolean {
  return (
    sent.every(({ expect }) => expect === 'any') &&
    !cut.some((segment) => segment.kind === 'tables' && segment.tables.some(isStepwise))
  );
}

function measured<T>(work: Work, act: () => T): T {
  const started = performance.now();
  const result = act();
  work.spent.prepareMs += performance.now() - started;
  return result;
}

interface Sender {
  readonly work: Work;
  readonly send: (statement: Statement) => void;
  readonly exact: boolean;
}

/** False when the order of the changes matters, or a row is not whole. */
function sendSegment(segment: Segment, mode: SetMode, sender: Sender): boolean {
  if (segment.kind === 'truncate') {
    for (const layout of segment.layouts) {
      const values = [sender.work.removable];
      sender.send({ expect: 'any', layout, count: 0, text: truncateSql(layout), values });
    }
    return true;
  }
  for (const { layout, changes } of segment.tables) {
    if (layout.target.stepwise) {
      continue;
    }
    const created = mode === 'insert' && layout.target.keyIsUnique ? onlyCreated(changes) : null;
    if (created) {
      if (created.some((tuple) => lacksValue(tuple, layout))) {
        return false;
      }
      sendCreated(layout, created, sender);
      continue;
    }
    const collapsed = collapse(changes, layout.keyIndexes);
    if (collapsed.ambiguous || (mode === 'upsert' && !layout.target.keyIsUnique)) {
      return false;
    }
    if (collapsed.inserts.some(({ tuple }) => lacksValue(tuple, layout))) {
      return false;
    }
    sendTable(layout, collapsed, mode, sender);
  }
  return true;
}

/**
 * The rows of changes that are inserts and nothing else, else null. Most work of most streams: nothing is to be
 * collapsed, and should a key come twice, the unique index refuses the set and it is done again.
 */
function onlyCreated(changes: readonly Change[]): Tuple[] | null {
  const created: Tuple[] = [];
  for (const change of changes) {
    if (change.kind !== 'insert' || !change.new) {
      return null;
    }
    created.push(change.new);
  }
  return created;
}

function sendCreated(layout: Layout, rows: readonly Tuple[], { work, send, exact }: Sender): void {
  const [first] = rows;
  if (first) {
    const { origins, removable, ordered } = work;
    const names = { origins, removable };
    send(
      new TableStatements(layout, formOf(layout, first), {
        ...names,
        ordered,
        exact: exact && !layout.target.ruled,
      }).insert(rows),
    );
    noteUnenforced(work, layout, rows);
  }
}

function sendTable(layout: Layout, collapsed: Collapsed, mode: SetMode, sender: Sender): void {
  const { deletes, passing, updates } = collapsed;
  const inserts = collapsed.inserts.map(({ tuple }) => tuple);
  const { work, send, exact } = sender;
  const first = (deletes[0] ?? passing[0] ?? updates[0])?.tuple ?? inserts[0];
  if (!first) {
    return;
  }
  const { origins, removable } = work;
  const table = new TableStatements(layout, formOf(layout, first), {
    origins,
    removable,
    exact: exact && !layout.target.ruled,
  });
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
    send(mode === 'upsert' ? table.put('put_insert', collapsed.inserts) : table.insert(inserts));
  }
  noteUnenforced(work, layout, [...updates.map(({ tuple }) => tuple), ...inserts]);
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
      if (left === null) {
        return false;
      }
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

/** False when a step is refused: the attempt is undone, and the row found by the next. */
async function runStepwise(tables: readonly TableChanges[], work: Work): Promise<boolean> {
  const steps = new Steps(work);
  for (const { layout, changes } of tables) {
    for (const change of changes) {
      if (await steps.step(layout, change)) {
        return false;
      }
    }
  }
  return true;
}
