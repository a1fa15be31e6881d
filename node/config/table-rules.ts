/** What the fields of a table mean together, as far as the file alone can tell. */
import { complainOfRepeats } from './complaint.ts';
import type { Complain } from './complaint.ts';
import type { Draft, DraftTable } from './draft.ts';
import { parseFilter } from './filter.ts';
import { FilterRefused } from './filter-token.ts';
import { nearest, oneOf } from './suggest.ts';
import type { Path } from './yaml-source.ts';

/** A column that must be in every list of columns, and what for. */
interface Needed {
  readonly column: string;
  readonly use: string;
}

const reservedSchemas = ['tributary', 'pg_catalog', 'information_schema'];

export function checkTables(draft: Draft, complain: Complain): void {
  complainOfRepeats(
    draft.tables.map((table) => table.table),
    (index) => ['tables', index, 'table'],
    complain,
  );
  for (const [index, table] of draft.tables.entries()) {
    const at: Path = ['tables', index];
    const here: Complain = (path, problem, instead) => {
      complain([...at, ...path], problem, instead);
    };
    checkName(table, here);
    checkRepeats(table, here);
    checkLevels(table, draft.levels, here);
    const needed = neededColumns(table, here);
    checkColumns(table, needed, here);
    checkNarrowing(table, draft.levels ?? [], here);
    checkIdentity(table, here);
    checkFlags(table, needed, here);
  }
}

function checkName(table: DraftTable, complain: Complain): void {
  const schema = table.table?.split('.')[0];
  if (schema !== undefined && reservedSchemas.includes(schema)) {
    const instead = "write one of the application's tables; Tributary's own travel by themselves";
    complain(['table'], `schema ${schema} is not the application's`, instead);
  }
}

function checkRepeats(table: DraftTable, complain: Complain): void {
  for (const field of ['key', 'columns'] as const) {
    complainOfRepeats(table[field] ?? [], (index) => [field, index], complain);
  }
  for (const [level, { columns }] of Object.entries(table.at ?? {})) {
    complainOfRepeats(columns, (index) => ['at', level, 'columns', index], complain);
  }
}

function checkLevels(
  table: DraftTable,
  levels: readonly string[] | undefined,
  complain: Complain,
): void {
  for (const level of levels === undefined ? [] : Object.keys(table.at ?? {})) {
    if (levels?.includes(level) !== true) {
      const meant = nearest(level, levels ?? []);
      complain(
        ['at', level],
        `there is no level \`${level}\``,
        `write ${meant === null ? oneOf(levels ?? []) : `\`${meant}\``}`,
      );
    } else if (level === levels.at(-1)) {
      complain(['at', level], 'nothing leaves the highest level', 'remove it');
    }
  }
}

/** Key, filter and origin: parsed on the way, so a filter that is none is told of here. */
function neededColumns(table: DraftTable, complain: Complain): readonly Needed[] {
  const key = (table.key ?? []).map((column) => ({ column, use: 'the key needs' }));
  const origin =
    table.origin === undefined ? [] : [{ column: table.origin, use: '`origin` needs' }];
  if (table.origin === 'tributary_origin') {
    complain(['origin'], 'tributary_origin is added by itself', 'remove the line');
  }
  if (table.approved === undefined) {
    return [...key, ...origin];
  }
  try {
    const { columns } = parseFilter(table.approved);
    const filter = columns.map((column) => ({ column, use: '`approved` reads' }));
    return [...key, ...filter, ...origin];
  } catch (error) {
    if (!(error instanceof FilterRefused)) {
      throw error;
    }
    complain(['approved'], `${error.message} (at character ${error.at})`, error.instead);
    return [...key, ...origin];
  }
}

function checkColumns(table: DraftTable, needed: readonly Needed[], complain: Complain): void {
  const lists: [Path, readonly string[]][] = Object.entries(table.at ?? {}).map(
    ([level, { columns }]) => [['at', level, 'columns'], columns],
  );
  if (table.columns !== undefined) {
    lists.push([['columns'], table.columns]);
  }
  for (const [path, columns] of lists) {
    for (const { column, use } of needed) {
      if (!columns.includes(column)) {
        complain(path, `${use} \`${column}\`, which is not listed`, `write \`${column}\` too`);
      }
    }
    const added = columns.indexOf('tributary_origin');
    if (added >= 0) {
      complain([...path, added], 'tributary_origin is added by itself', 'remove it');
    }
    for (const [index, column] of columns.entries()) {
      if (path[0] === 'at' && table.columns?.includes(column) === false) {
        const meant = nearest(column, table.columns);
        complain(
          [...path, index],
          `\`${column}\` is not in \`columns\``,
          meant === null ? 'write it there too, or remove it here' : `write \`${meant}\``,
        );
      }
    }
  }
}

/** A column that a level keeps back never reaches a higher one. */
function checkNarrowing(table: DraftTable, levels: readonly string[], complain: Complain): void {
  let below: { readonly level: string; readonly columns: readonly string[] } | null = null;
  for (const level of levels) {
    const columns: readonly string[] | undefined = table.at?.[level]?.columns;
    for (const [index, column] of (columns ?? []).entries()) {
      if (below?.columns.includes(column) === false) {
        complain(
          ['at', level, 'columns', index],
          `\`${column}\` does not leave level ${below.level}, which is below`,
          'write it there too, or remove it here',
        );
      }
    }
    below = columns === undefined ? below : { level, columns };
  }
}

/** FULL with a column list makes the application's own UPDATE fail. */
function checkIdentity(table: DraftTable, complain: Complain): void {
  if (table.identity === 'full' && ('columns' in table || 'at' in table)) {
    complain(
      ['identity'],
      "full does not go with a list of columns: PostgreSQL would refuse the application's updates",
      'write `identity: index`, or remove `columns` and `at`',
    );
  }
}

/** Flags are each node's own: never sent, never compared, and each serves one thing. */
function checkFlags(table: DraftTable, needed: readonly Needed[], complain: Complain): void {
  const soft = typeof table.deletes === 'object' ? table.deletes.soft : null;
  const flags: [Path, string][] = soft === null ? [] : [[['deletes', 'soft'], soft]];
  const rules = Object.entries(table.orphans_by_foreign_key ?? {}).map(
    ([key, rule]) => [['orphans_by_foreign_key', key], rule] as const,
  );
  for (const [path, rule] of [[['orphans'], table.orphans] as const, ...rules]) {
    if (typeof rule === 'object') {
      flags.push([[...path, 'deactivate'], rule.deactivate]);
      if (rule.deactivate === soft) {
        complain(
          [...path, 'deactivate'],
          `\`${soft}\` serves \`deletes\` already`,
          'write another boolean column: each flag serves one thing',
        );
      }
    }
  }
  const lists = [table.columns, ...Object.values(table.at ?? {}).map(({ columns }) => columns)];
  const used = new Set([...lists.flatMap((list) => list ?? []), ...needed.map((n) => n.column)]);
  for (const [path, column] of flags) {
    if (used.has(column)) {
      complain(
        path,
        `\`${column}\` travels: each node keeps a flag of its own`,
        'write a boolean column that nothing else uses, or remove it from `columns`',
      );
    }
  }
}
