/** Which columns of a table are compared: those whose text here is the text that was sent. Others would differ for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChild } from '../testing/child.ts';
import { majors, TestDatabase } from '../testing/database.ts';
import { defaultScope, table } from '../testing/stream-pair.ts';
import { openChild } from '../testing/stream-reader.ts';
import { planTable } from './plan-table.ts';

const types = `
  create domain grade as character(2);
  create domain cents as numeric(12, 2);
  create domain price as cents;
  create domain fine as numeric(12, 3);
  create type mood as enum ('sad', 'glad');`;

/** The type at the child, the type here, whether they are compared. */
const columns = [
  ['integer', 'bigint', true],
  ['varchar(9)', 'text', true],
  ['varchar(9)[]', 'varchar(20)[]', true],
  ['char(3)', 'char(3)', true],
  ['char(3)', 'char(5)', false],
  ['char(3)[]', 'char(3)[]', true],
  ['char(3)[]', 'char(5)[]', false],
  ['"char"', '"char"', true],
  ['bit(8)', 'bit(8)', true],
  ['bit varying(8)', 'bit varying(9)', true],
  ['numeric(12,2)', 'numeric(14,2)', true],
  ['numeric(12,2)', 'numeric', true],
  ['numeric(12,2)', 'numeric(14,4)', false],
  ['timestamptz(3)', 'timestamptz(3)', true],
  ['timestamptz(3)', 'timestamptz', true],
  ['interval day to second', 'interval day to second', true],
  ['interval day to second(3)', 'interval(3)', true],
  ['interval', 'interval day to second(3)', false],
  ['grade', 'grade', true],
  ['grade', 'char(2)', true],
  ['price', 'cents', true],
  ['numeric(12,2)', 'price', true],
  ['price', 'fine', false],
  ['price[]', 'cents[]', true],
  ['mood', 'mood', true],
  ['mood[]', 'mood[]', true],
  ['mood', 'text', false],
  ['xml', 'xml', true],
] as const;

const tried = majors().filter((major) => major === 15 || major === 18);
for (const above of tried) {
  for (const below of tried) {
    void test(`what has the same text on both sides is compared: ${below} below ${above}`, async () => {
      await using child = await createChild(below);
      await using parent = await TestDatabase.create(above);
      const list = (side: 0 | 1): string =>
        columns.map((types, n) => `c${n} ${types[side]}`).join(', ');
      await child.query(`${types} create table visit (id integer primary key, ${list(0)});
        alter publication tributary_up add table visit`);
      await parent.query(`${types} create table visit (id integer primary key, ${list(1)},
        tributary_origin text not null default 'north')`);
      await using provider = openChild(child);
      const visit = table('visit', { key: ['id'] });
      const { tables: published } = await provider.describe();
      const { compared, read } = await planTable(visit, {
        published,
        tables: [visit],
        scope: defaultScope,
        query: async (text, values) => await parent.query(text, [...(values ?? [])]),
      });
      assert.deepEqual(read.columns, ['id', ...columns.map((_, n) => `c${n}`)]);
      assert.deepEqual(
        columns.map(([sent, local], n) => [sent, local, compared.columns.includes(`c${n}`)]),
        columns,
      );
    });
  }
}
