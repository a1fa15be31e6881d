/** Why a filter can not go on at a token, and what to write instead. */
import { FilterRefused } from './filter-token.ts';
import type { FilterToken } from './filter-token.ts';
import { reservedWords } from './sql-keyword.ts';

const allowed =
  'write only columns, constants, =, <>, <, >, <=, >=, in, is [not] null, and, or, not';

/** What people write most, and its other form: [problem, instead]. */
const known: Readonly<Record<string, readonly [string, string]>> = {
  '!=': ['has `!=`', 'write `<>`'],
  '::': ['has a cast', 'write the constant alone: PostgreSQL gives it the type of the column'],
  '.': ['has a name with a point', 'write the column alone, without table or schema'],
  '-': ['has arithmetic', 'compare columns and constants as they are'],
  '(': ['has a function or a call', 'compare the column as it is; a function could raise an error'],
  ')': ['closes a parenthesis too many', 'remove `)`, or write an operand before it'],
  between: ['has `between`', 'write `column >= low and column <= high`'],
  like: ['has `like`', 'write `=` or `in` with whole values'],
  ilike: ['has `ilike`', 'write `=` or `in` with whole values'],
  similar: ['has `similar to`', 'write `=` or `in` with whole values'],
  isnull: ['has `isnull`', 'write `is null`'],
  notnull: ['has `notnull`', 'write `is not null`'],
  null: ['compares with null, which is never true', 'write `is null` or `is not null`'],
  any: ['has `any`', 'write `in (...)`'],
  some: ['has `some`', 'write `in (...)`'],
  all: ['has `all`', 'write comparisons joined with and'],
  cast: ['has a cast', 'write the constant alone: PostgreSQL gives it the type of the column'],
  case: ['has `case`', 'write conditions joined with and, or, not'],
  collate: ['has `collate`', 'leave it out'],
  select: ['has a subquery', 'write a filter over columns of this row alone'],
};

/** The error for a token that can not stand where it stands; `expected` names a symbol that had to come. */
export function refusal(token: FilterToken, expected?: string): FilterRefused {
  if (token.kind === 'end') {
    return expected === undefined
      ? new FilterRefused(token.at, 'ends too early', 'write a column or a constant at its end')
      : new FilterRefused(token.at, 'ends too early', `write \`${expected}\` at its end`);
  }
  if (token.kind === 'constant') {
    const instead = 'write an operator before it';
    return new FilterRefused(token.at, 'has a constant where none can stand', instead);
  }
  const entry = token.kind === 'quoted' ? undefined : known[token.text];
  if (entry !== undefined) {
    return new FilterRefused(token.at, ...entry);
  }
  if (token.kind === 'word' && reservedWords.has(token.text)) {
    return new FilterRefused(
      token.at,
      `has \`${token.text}\`, a word of SQL`,
      `write "${token.text}" in double quotes if it is a column; ${allowed}`,
    );
  }
  return new FilterRefused(token.at, `has \`${token.text}\` where it can not stand`, allowed);
}
