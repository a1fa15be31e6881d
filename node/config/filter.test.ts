import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { comparedColumns } from './filter-columns.ts';
import { columnText, filterText } from './filter-text.ts';
import { FilterRefused } from './filter-token.ts';
import { parseFilter } from './filter.ts';
import { filterExpression } from '../testing/filter-arbitrary.ts';

const accepted: readonly [string, string, readonly string[]][] = [
  ["status = 'approved'", "status = 'approved'", ['status']],
  ["STATUS='it''s'", "status = 'it''s'", ['status']],
  ['"Status" <> 1', '"Status" <> 1', ['Status']],
  ['approved', 'approved', ['approved']],
  ['not approved', 'not approved', ['approved']],
  ['not a = 1', 'not (a = 1)', ['a']],
  ['a and b and c', 'a and b and c', ['a', 'b', 'c']],
  ['a and (b and c)', 'a and b and c', ['a', 'b', 'c']],
  ['a or b and c', 'a or (b and c)', ['a', 'b', 'c']],
  ['(a or b) and c', '(a or b) and c', ['a', 'b', 'c']],
  ['not a and b', 'not a and b', ['a', 'b']],
  ['not (a and b)', 'not (a and b)', ['a', 'b']],
  ['not not a', 'not (not a)', ['a']],
  ['a is null or b is not null', 'a is null or b is not null', ['a', 'b']],
  ["s in ('x','y')", "s in ('x', 'y')", ['s']],
  ['s not in (1, -2.5)', 's not in (1, -2.5)', ['s']],
  ['(s) = 1', 's = 1', ['s']],
  ['((a))', 'a', ['a']],
  ['a<-3', 'a < -3', ['a']],
  ['a>=1E5 and a<=.5', 'a >= 1e5 and a <= .5', ['a']],
  ['a = TRUE', 'a = true', ['a']],
  ['3 < a', '3 < a', ['a']],
  ['a = b and a <> b', 'a = b and a <> b', ['a', 'b']],
  ['"user" = 1 and time = 2', '"user" = 1 and "time" = 2', ['user', 'time']],
  ['"a""b" is null', '"a""b" is null', ['a"b']],
  ['état = 1', '"état" = 1', ['état']],
  ['a\n  and\tb', 'a and b', ['a', 'b']],
];

const refused: readonly [string, number, RegExp, RegExp][] = [
  ['', 1, /ends too early/, /column or a constant/],
  ['a =', 4, /ends too early/, /column or a constant/],
  ['(a', 3, /ends too early/, /`\)` at its end/],
  ['a)', 2, /parenthesis too many/, /remove `\)`/],
  ["a != 'x'", 3, /`!=`/, /`<>`/],
  ["lower(a) = 'x'", 6, /function/, /compare the column as it is/],
  ['a + 1 = 2', 3, /holds "\+"/, /write only columns/],
  ['a - 1 = 2', 3, /arithmetic/, /compare columns/],
  ['total/n > 5', 6, /holds "\/"/, /write only columns/],
  ["a = 'x'::text", 8, /cast/, /constant alone/],
  ["cast(a as text) = 'x'", 1, /cast/, /constant alone/],
  ["date '2020-01-01' < a", 6, /constant where none can stand/, /operator/],
  ["a like 'x%'", 3, /`like`/, /`=` or `in`/],
  ['a between 1 and 2', 3, /`between`/, /`column >= low and column <= high`/],
  ['a not between 1 and 2', 7, /`between`/, /`column >= low/],
  ['a isnull', 3, /`isnull`/, /`is null`/],
  ['a = null', 5, /null, which is never true/, /`is null`/],
  ['a in (1, null)', 10, /null/, /`is null`/],
  ['a in ()', 7, /parenthesis/, /operand/],
  ['a is true', 6, /`is` before something else/, /the boolean column alone/],
  ['a = b = c', 7, /compares a condition/, /and/],
  ['a = 1 is null', 7, /compares a condition/, /and/],
  ['(a and b) = c', 1, /compares a condition/, /and, or, not/],
  ['true', 1, /constant alone/, /compare it/],
  ['a or true', 6, /constant alone/, /compare it/],
  ['1 = 1', 1, /reads no column/, /leave `approved` out/],
  ['t.a = 1', 2, /point/, /without table/],
  ['user = 1', 1, /a word of SQL/, /"user" in double quotes/],
  ['a < current_date', 5, /a word of SQL/, /double quotes/],
  ['ctid = 1', 1, /no column a filter can read/, /own columns/],
  ["a = 'x", 5, /not closed/, /write '/],
  ['"a = 1', 1, /not closed/, /write "/],
  ['a = ‘x’', 5, /typographic quote/, /plain quotes/],
  ["a = E'x'", 6, /without a space/, /constant/],
  ["a = 'x' 'y'", 9, /constant where none/, /operator/],
  ['a = 1x', 6, /without a space/, /42/],
  ['a = $1', 5, /holds "\$"/, /write only columns/],
  ['a < 1e400', 5, /beyond the range/, /1e300/],
  ['a > -1e-400', 6, /beyond the range/, /1e-300/],
  ['a -- b', 3, /comment/, /YAML/],
  ['a; drop table b', 2, /holds ";"/, /write only columns/],
  ["a = 'x\0'", 7, /zero byte/, /remove/],
  [`${'('.repeat(60)}a${')'.repeat(60)}`, 52, /deeper than 50/, /fewer/],
  [`a${'b'.repeat(63)} = 1`, 1, /no column/, /own columns/],
];

for (const [text, sql, columns] of accepted) {
  void test(`the filter ${JSON.stringify(text)} is read`, () => {
    const filter = parseFilter(text);
    assert.equal(filter.sql, sql);
    assert.deepEqual(filter.columns, columns);
    assert.equal(parseFilter(sql).sql, sql);
  });
}

for (const [text, at, problem, instead] of refused) {
  void test(`the filter ${JSON.stringify(text.slice(0, 40))} is refused with its place and advice`, () => {
    assert.throws(
      () => parseFilter(text),
      (error) => {
        assert.ok(error instanceof FilterRefused);
        assert.match(error.message, problem);
        assert.match(error.instead, instead);
        assert.equal(error.at, at);
        return true;
      },
    );
  });
}

void test('printing and parsing any expression gives it back', () => {
  fc.assert(
    fc.property(filterExpression(), (expression) => {
      const filter = parseFilter(filterText(expression));
      assert.deepEqual(filter.expression, expression);
      assert.equal(filter.sql, filterText(expression));
    }),
    { numRuns: 1000 },
  );
});

void test('any text is either read or refused, never a failure of the parser', () => {
  const word = fc.constantFrom(
    'a',
    'not',
    'and',
    'or',
    'in',
    'is',
    'null',
    '(',
    ')',
    ',',
    '=',
    "'x'",
    '-',
    '1',
    '"',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(word).map((words) => words.join(' ')),
  );
  fc.assert(
    fc.property(text, (text) => {
      try {
        const { sql } = parseFilter(text);
        assert.equal(parseFilter(sql).sql, sql);
      } catch (error) {
        assert.ok(error instanceof FilterRefused, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

void test('a name is quoted only if SQL needs it', () => {
  assert.deepEqual(['status', 'Status', 'a b', 'select', 'time', '_x1', '1x'].map(columnText), [
    'status',
    '"Status"',
    '"a b"',
    '"select"',
    '"time"',
    '_x1',
    '"1x"',
  ]);
});

void test('columns that are compared with each other are told, for their types must be the same', () => {
  const { expression } = parseFilter("a = b and (c in (1, d, e) or not (f = 'x')) and g is null");
  assert.deepEqual(comparedColumns(expression), [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'e'],
  ]);
});
