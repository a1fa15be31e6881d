/** Keys of every type that can be one: rows are found by the key as it is sent, not by its bytes. */
import type { Topic, TopicTable } from '../topic.ts';

/** Type and three values; a suffix of the column for what is more than a type. */
const kinds: readonly (readonly [
  name: string,
  type: string,
  values: readonly [string, string, string],
])[] = [
  ['by_text', 'text', [`'a'`, `'A '`, `'አ'`]],
  ['by_int', 'bigint', ['1', '-1', '9223372036854775807']],
  ['by_numeric', 'numeric', ['1.0', '1.10', `'NaN'`]],
  ['by_float', 'float8', ['0.1', `'-0'`, `'Infinity'`]],
  ['by_char', 'char(4)', [`'a'`, `'b '`, `'abcd'`]],
  ['by_bytes', 'bytea', [`'\\x00'`, `'\\x'`, `'\\xff'`]],
  ['by_uuid', 'uuid', [`'${'0'.repeat(32)}'`, `'${'1'.repeat(32)}'`, `'${'f'.repeat(32)}'`]],
  ['by_moment', 'timestamptz', [`'2024-03-31 02:30+03'`, `'infinity'`, `'0044-01-01 BC'`]],
  ['by_day', 'date', [`'2024-02-29'`, `'-infinity'`, `'5874897-12-31'`]],
  ['by_span', 'interval', [`'1 mon'`, `'31 days'`, `'-1 day'`]],
  ['by_host', 'inet', [`'10.0.0.1/8'`, `'10.0.0.1'`, `'::1'`]],
  ['by_bits', 'varbit', [`'101'`, `'0101'`, `'00'`]],
  ['by_json', 'jsonb', [`'{"a":1.0}'`, `'null'`, `'[1,2]'`]],
  ['by_range', 'int4range', [`'[1,5)'`, `'empty'`, `'(,)'`]],
  ['by_array', 'text[]', [`'{a,NULL}'`, `'{}'`, `'{"a,b"}'`]],
  ['by_enum', 'colour', [`'red'`, `'green'`, `'dark "blue"'`]],
  ['by_domain', 'code', [`'a1'`, `'B2'`, `''`]],
  ['by_row', 'spot', [`'(1,a)'::spot`, `'(1,"b, c")'::spot`, `'(,)'::spot`]],
  ['by_citext', 'citext', [`'Abc'`, `'ABD'`, `''`]],
  ['by_far_citext', 'elsewhere_keys.shout', [`'Abc'`, `'ABD'`, `''`]],
  ['by_tree', 'ltree', [`'Top.A'`, `'Top.B'`, `''`]],
  ['by_folded', 'text collate folded', [`'Straße'`, `'b'`, `'C'`]],
  ['by_network', 'cidr', [`'10.0.0.0/8'`, `'10.0.0.0/9'`, `'::/0'`]],
  ['by_price', 'money', [`'1.50'`, `'-2'`, `'0'`]],
  ['by_truth_and_clock', 'time', [`'24:00'`, `'00:00'`, `'12:00:00.5'`]],
  ['by_lsn', 'pg_lsn', [`'0/1'`, `'F/0'`, `'0/0'`]],
];

const tables: readonly TopicTable[] = kinds.map(([name]) => ({ name }));

export const keys: Topic = {
  name: 'keys',
  extensions: ['citext', 'ltree'],
  ddl: `
    create type colour as enum ('green', 'red', 'dark "blue"');
    create domain code as varchar(4);
    create type spot as (x int, y text);
    create collation folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    create schema elsewhere_keys;
    create domain elsewhere_keys.shout as citext;
    ${kinds.map(([name, type]) => `create table ${name} (id ${type} not null primary key, note text);`).join('')}`,
  tables,
  scenarios: [
    {
      title: 'rows arrive under keys of every type',
      run: kinds.map(
        ([name, , [a, b, c]]) => `insert into ${name} values (${a}, 'a'), (${b}, 'b'), (${c}, 'c')`,
      ),
    },
    {
      title: 'rows are found by them',
      run: kinds.map(
        ([name, , [a, b]]) => `begin; update ${name} set note = 'changed' where id = ${a};
           delete from ${name} where id = ${b}; commit`,
      ),
    },
    {
      title: 'keys change to what was free',
      run: kinds.map(
        ([name, , [a, b, c]]) => `begin; update ${name} set id = ${b} where id = ${a};
           update ${name} set note = note || '!' where id = ${c}; insert into ${name} values (${a}, 'again'); commit`,
      ),
    },
    {
      title: 'a key becomes another that is equal to it',
      run: [
        `update by_numeric set id = 1.00 where id = 1.0`,
        `update by_citext set id = 'aBC' where id = 'abc'`,
        `update by_float set id = 0 where id = 0`,
        `update by_folded set id = 'STRASSE' where id = 'c'`,
        `begin; update by_span set id = '30 days' where id = '1 mon'; update by_span set note = 'n'; commit`,
        `begin; delete from by_numeric where id = 1; insert into by_numeric values (1.000, 'once more'); commit`,
        `begin; update by_citext set id = 'ABC' where id = 'abc'; delete from by_citext where id = 'abc';
         insert into by_citext values ('abC', 'new'); commit`,
      ],
    },
  ],
};
