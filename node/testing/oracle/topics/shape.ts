/** Tables of unusual shape: very wide, of a key alone, inherited, of many rows in one statement, without a primary key. */
import type { Topic } from '../topic.ts';

const width = 1200;
const columns = Array.from({ length: width }, (_, at) => `c${at}`);

export const shape: Topic = {
  name: 'shapes',
  ddl: `
    create table wide (id int primary key, ${columns.map((name) => `${name} int`).join(', ')});
    create table keys_only (a int, b text, primary key (a, b));
    create table one_column (id text primary key);
    create table base (id int primary key, kind text, note text);
    create table derived (extra text, primary key (id)) inherits (base);
    create table no_primary (code text not null unique, note text);
    create table whole_row (id int not null, note text, tags text[]);
    create unique index on whole_row (id);`,
  // Native finds rows by a primary key or a replica identity only.
  subscriberDdl: `alter table no_primary replica identity using index no_primary_code_key;`,
  tables: [
    { name: 'wide' },
    { name: 'keys_only', key: ['a', 'b'] },
    { name: 'one_column' },
    { name: 'base' },
    { name: 'derived' },
    { name: 'no_primary', key: ['code'] },
    { name: 'whole_row', identity: 'full' },
  ],
  scenarios: [
    {
      title: 'rows come, change and go',
      run: [
        `insert into wide (id, c0, c${width - 1}) select n, n, -n from generate_series(1, 20) n`,
        `update wide set ${columns.map((name, at) => `${name} = ${at}`).join(', ')} where id < 5`,
        `update wide set id = 100, c7 = null where id = 1`,
        `insert into keys_only values (1, 'a'), (2, 'b'), (3, 'c')`,
        `begin; update keys_only set b = 'z' where a = 1; update keys_only set a = 9 where a = 2; delete from keys_only where a = 3; commit`,
        `insert into one_column values ('a'), ('b'), ('')`,
        `update one_column set id = 'c' where id = 'a'`,
        `insert into base values (1, 'base', 'n'), (2, 'base', 'n')`,
        `insert into derived values (3, 'derived', 'n', 'x'), (4, 'derived', 'n', 'y')`,
        `update base set note = 'all of them'`,
        `update base set id = id + 10 where id in (1, 3)`,
        `delete from base where id = 4`,
        `insert into no_primary values ('a', 'n'), ('b', null)`,
        `update no_primary set code = 'c' where code = 'a'`,
        `insert into whole_row values (1, 'a', '{x}'), (2, null, null), (3, 'c', '{}')`,
        `update whole_row set note = 'b', tags = tags || 'y'::text where id < 3`,
        `delete from whole_row where id = 3`,
      ],
    },
  ],
};
