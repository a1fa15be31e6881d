/** Why rows of a table are impossible here, or lack columns, and the statement that mends it. Pure. */
import { ident, qualified } from '../database/ident.ts';
import { TributaryError } from '../errors.ts';
import { tableNameOf, tableText, type TableName } from './parked-key.ts';

/** statement: PostgreSQL refuses the statements of the table, whatever the rows. */
export type DriftCause =
  | 'no_table'
  | 'no_key'
  | 'key_column_missing'
  | 'filter_column_missing'
  | 'origin_column_missing'
  | 'type'
  | 'not_null'
  | 'flag_missing'
  | 'identity'
  | 'statement';

export interface TableDrift {
  readonly cause: DriftCause;
  readonly column: string | null;
  /** Of the column at the provider; null: not known, or a type of its own. */
  readonly type: string | null;
  /** Of a statement; null else. */
  readonly sqlstate: string | null;
}

/** A sent column that does not exist here. */
export interface SetAside {
  readonly name: string;
  readonly typeOid: number;
  readonly typeModifier: number;
}

/** The failure of who needs rows of the table all the same. */
export function driftError(
  table: TableName,
  { cause, column, type, sqlstate }: TableDrift,
  options: { readonly cause?: unknown } = {},
): TributaryError {
  const context = { table: tableText(table), reason: cause, column, type, sqlstate };
  return new TributaryError('drifted', context, options);
}

/** What such a failure says; null: it is another one. */
export function driftOfError(
  error: unknown,
): { readonly table: TableName; readonly drift: TableDrift } | null {
  if (!(error instanceof TributaryError) || error.code !== 'drifted') {
    return null;
  }
  const text = (name: string): string | null => {
    const value = error.context[name];
    return typeof value === 'string' ? value : null;
  };
  return {
    table: tableNameOf(text('table') ?? ''),
    drift: {
      cause: (text('reason') ?? 'statement') as DriftCause,
      column: text('column'),
      type: text('type'),
      sqlstate: text('sqlstate'),
    },
  };
}

const unknownType = 'THE_TYPE_IT_HAS_AT_THE_CHILD';

/** What adds the columns. */
export function addColumns(
  table: TableName,
  columns: readonly { readonly name: string; readonly type: string | null }[],
): string {
  const adds = columns.map(({ name, type }) => `add column ${ident(name)} ${type ?? unknownType}`);
  return `alter table ${qualified(table)} ${adds.join(', ')};`;
}

export const adviceForBlocked =
  'Too many of its keys are parked: mend what `tributary parked list` shows.';

/** One sentence, with the statement where there is one. */
export function adviceForDrift(table: TableName, { cause, column, type }: TableDrift): string {
  const alter = `alter table ${qualified(table)}`;
  const name = column === null ? '' : ident(column);
  switch (cause) {
    case 'no_table':
      return 'Create the table here as it is at the child, then run `tributary prepare`.';
    case 'no_key':
      return 'Give the table here the primary key it has at the child.';
    case 'key_column_missing':
    case 'filter_column_missing':
      return `The column must stand at both sides: ${alter} add column ${name} ${type ?? unknownType}; then run \`tributary prepare\` at both.`;
    case 'origin_column_missing':
      return 'Run `tributary prepare` here.';
    case 'type':
      return `The column must take what the child sends: ${alter} alter column ${name} type ${type ?? unknownType};`;
    case 'not_null':
      return `The child does not send the column: ${alter} alter column ${name} drop not null; or give it a default.`;
    case 'flag_missing':
      return 'Run `tributary check` for the statement that adds the flag.';
    case 'identity':
      return 'Run `tributary prepare` at the child.';
    case 'statement':
      return "Run `tributary check`; PostgreSQL's log has the statement that it refuses.";
    default:
      return cause satisfies never;
  }
}
