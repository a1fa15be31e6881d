/** PostgreSQL is the judge: every filter that is read is one it publishes, and means there what was parsed here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TestDatabase, majors } from '../testing/database.ts';
import { filterExpression } from '../testing/filter-arbitrary.ts';
import { columnText, filterText } from './filter-text.ts';
import { parseFilter } from './filter.ts';
import type { FilterExpression, FilterOperand } from './model.ts';
import { columnNameWords, reservedWords } from './sql-keyword.ts';

for (const major of majors()) {
  void test(`PostgreSQL ${major} reads a filter with the same precedence and accepts it for a publication`, async () => {
    await using database = await TestDatabase.create(major);
    await database.query(
      'create table t (a boolean, b boolean, "User" boolean, "select" boolean, "time" boolean)',
    );
    const values = ['true', 'false', 'null'];
    const rows = values.flatMap((a) => values.flatMap((b) => values.map((c) => [a, b, c])));
    await database.query(
      `insert into t (a, b, "User", "select", "time") values ${rows.map(([a, b, c]) => `(${a}, ${b}, ${c}, ${a}, ${c})`).join(', ')}`,
    );
    const filters = fc
      .sample(filterExpression(['a', 'b', 'User', 'select', 'time']), { numRuns: 400, seed: 7 })
      .map(boolean);
    const differing = filters.map(
      (filter, index) =>
        `select ${index} as n from t where (${filterText(filter)}) is distinct from ${explicit(filter)}`,
    );
    const { rows: differences } = await database.query(differing.join(' union all '));
    assert.deepEqual(differences, []);

    for (const [index, filter] of filters.slice(0, 40).entries()) {
      const sql = parseFilter(filterText(filter)).sql;
      await database.query(`create publication p${index} for table t where (${sql})`);
    }
  });

  void test(`every keyword PostgreSQL ${major} quotes is quoted here`, async () => {
    await using database = await TestDatabase.create(major);
    const { rows } = await database.query(
      "select word, catcode, quote_ident(word) as quoted from pg_get_keywords() where catcode <> 'U'",
    );
    for (const { word, catcode, quoted } of rows as Record<string, string>[]) {
      assert.equal(columnText(word ?? ''), quoted);
      assert.equal((catcode === 'C' ? columnNameWords : reservedWords).has(word ?? ''), true, word);
    }
  });
}

/** The same filter over boolean columns: constants that are no boolean become true. */
function boolean(expression: FilterExpression): FilterExpression {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return { kind: expression.kind, operands: expression.operands.map(boolean) };
    case 'not':
      return { kind: 'not', operand: boolean(expression.operand) };
    case 'compare':
      return {
        ...expression,
        left: booleanOperand(expression.left),
        right: booleanOperand(expression.right),
      };
    case 'in':
      return {
        ...expression,
        left: booleanOperand(expression.left),
        list: expression.list.map(booleanOperand),
      };
    case 'column':
    case 'null':
      return expression;
  }
}

function booleanOperand(operand: FilterOperand): FilterOperand {
  return operand.kind === 'constant' && operand.sql !== 'false'
    ? { kind: 'constant', sql: 'true' }
    : operand;
}

/** Every operand in parentheses: no precedence is left to chance. */
function explicit(expression: FilterExpression): string {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return `(${expression.operands.map(explicit).join(` ${expression.kind} `)})`;
    case 'not':
      return `(not ${explicit(expression.operand)})`;
    default:
      return `(${filterText(expression)})`;
  }
}
