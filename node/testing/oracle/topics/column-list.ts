/** Column lists, and tables that are not alike: order, more and other columns, wider types, defaults. */
import type { Topic } from '../topic.ts';

export const columnList: Topic = {
  name: 'column_lists',
  ddl: `
    create table person (id int primary key, status text not null, name text, secret text, age int);
    create table several (a int, b text, c int, d text, primary key (a, b));`,
  tables: [
    { name: 'person', columns: ['id', 'name', 'status'], approved: "status = 'approved'" },
    { name: 'several', key: ['a', 'b'], columns: ['a', 'b', 'd'] },
  ],
  subscriberDdl: `alter table person alter column secret set default 'none here';`,
  scenarios: [
    {
      title: 'only what is listed travels',
      run: [
        `insert into person select n, 'approved', 'name' || n, 'secret' || n, n from generate_series(1, 9) n`,
        `insert into several select n, 'b' || n, n, 'd' from generate_series(1, 9) n`,
        `update person set secret = 'changed', age = 5 where id = 1`,
        `update person set name = 'changed', secret = 'changed' where id = 2`,
        `update person set status = 'draft' where id = 3`,
        `update several set c = c + 1`,
        `update several set d = 'e', c = 0 where a = 1`,
        `update several set b = 'moved' where a = 2`,
        `delete from several where a = 3`,
      ],
    },
  ],
};

export const differentTables: Topic = {
  name: 'different_tables',
  ddl: '',
  providerDdl: `
    set role application_owner;
    create table visit (id int primary key, a text, b smallint, c real, d date, gone int, e varchar(9), f text, g json);`,
  subscriberDdl: `
    set role application_owner;
    create table visit (
      local_first text default 'local', g jsonb, f varchar(40), e text, d timestamp, c numeric, b bigint, a text,
      id bigint primary key, gone int, local_last timestamptz default '2024-01-01 00:00+00', local_null int
    );`,
  tables: [{ name: 'visit' }],
  scenarios: [
    {
      title: 'order, types and defaults differ',
      // By text a timestamp is not the date it was sent as.
      nativeOnly: 'the types differ',
      run: [
        `insert into visit values (1, 'a', 2, 0.1, '2024-02-29', 7, 'e', 'f', '{"b": 1, "a": [2]}')`,
        `insert into visit (id) values (2), (3)`,
        `update visit set a = 'n', b = 32767, c = '1e30' where id = 2`,
        `update visit set id = 4 where id = 3`,
        `begin; delete from visit where id = 1; insert into visit (id, e, g) values (1, 'again', '[]'); commit`,
      ],
    },
    {
      title: 'changed again',
      nativeOnly: 'the types differ',
      before: `update visit set local_first = 'changed here', local_null = 5`,
      run: [`update visit set f = 'z'`, `insert into visit (id, f) values (9, 'nine')`],
    },
  ],
};
