/** Values that lie out of line and do not travel when they do not change. */
import type { Scenario, Topic } from '../topic.ts';

const big = (mark: string): string =>
  `(select string_agg(md5(n::text || '${mark}'), '') from generate_series(1, 400) n)`;
const bytes = (mark: string): string => `decode(${big(mark)}, 'hex')`;

const tables = `(
  id int primary key, status text not null, note text, story text, scan bytea, form jsonb, list text[]
);`;

const scenarios: readonly Scenario[] = [
  {
    title: 'rows with large values arrive, and change in small columns only',
    run: ['by_index', 'by_full', 'unfiltered'].flatMap((name) => [
      `insert into ${name} select n, case when n % 2 = 0 then 'approved' else 'draft' end, 'n', ${big('a')} || n, ${bytes('b')},
         jsonb_build_object('k', ${big('c')}), array[${big('d')}, null, 'x'] from generate_series(1, 12) n`,
      `update ${name} set note = 'small change'`,
      `update ${name} set story = ${big('e')} where id < 4`,
      `update ${name} set scan = null, list = '{}' where id = 6`,
      `begin; update ${name} set note = 'a' where id = 8; update ${name} set story = ${big('f')} where id = 8;
         update ${name} set note = 'b' where id = 8; update ${name} set scan = ${bytes('g')} where id = 8; commit`,
    ]),
  },
  {
    title: 'keys change, the large values do not',
    run: ['by_index', 'by_full', 'unfiltered'].flatMap((name) => [
      `update ${name} set id = 102 where id = 2`,
      `begin; update ${name} set id = 104 where id = 4; update ${name} set note = 'moved' where id = 104; update ${name} set id = 4 where id = 104; commit`,
      `begin; update ${name} set id = 900 where id = 6; update ${name} set id = 6 where id = 8; update ${name} set id = 8 where id = 900; commit`,
    ]),
  },
  {
    title: 'approved, withdrawn and approved again without touching the large values',
    run: ['by_index', 'by_full'].flatMap((name) => [
      `update ${name} set status = 'approved' where id in (1, 3)`,
      `update ${name} set status = 'draft' where id in (102, 4)`,
      `update ${name} set status = 'approved' where id = 102`,
      `begin; update ${name} set status = 'draft' where id = 10; update ${name} set status = 'approved' where id = 10; commit`,
      `begin; update ${name} set status = 'approved' where id = 5; update ${name} set note = 'more' where id = 5; commit`,
      `begin; update ${name} set status = 'approved', id = 107 where id = 7; commit`,
    ]),
  },
];

export const toast: Topic = {
  name: 'out_of_line',
  ddl: `
    create table by_index ${tables} create table by_full ${tables} create table unfiltered ${tables}
    ${['by_index', 'by_full', 'unfiltered']
      .flatMap((name) => [
        `alter table ${name} alter column story set storage external;`,
        `alter table ${name} alter column scan set storage external;`,
      ])
      .join('')}`,
  tables: [
    { name: 'by_index', approved: "status = 'approved'" },
    { name: 'by_full', approved: "status = 'approved'", identity: 'full' },
    { name: 'unfiltered' },
  ],
  scenarios,
};
