/** TRUNCATE: alone, of several tables, cascading, in the middle of a transaction, rolled back. */
import type { Topic } from '../topic.ts';

export const truncate: Topic = {
  name: 'truncated',
  ddl: `
    create table solo (id int primary key, note text);
    create table parent (id int primary key);
    create table child (id int primary key, parent int references parent);
    create table filtered (id int primary key, status text not null);`,
  tables: [
    { name: 'solo' },
    { name: 'parent' },
    { name: 'child' },
    { name: 'filtered', approved: "status = 'approved'" },
  ],
  scenarios: [
    {
      title: 'rows go, and new ones come',
      run: [
        `insert into solo select n, 'old' from generate_series(1, 50) n`,
        `insert into parent values (1), (2); insert into child values (1, 1), (2, 2)`,
        `insert into filtered values (1, 'approved'), (2, 'draft')`,
        `truncate solo`,
        `insert into solo values (1, 'new'), (51, 'new')`,
      ],
    },
    {
      title: 'between other changes of one transaction',
      run: [
        `begin; insert into solo values (60, 'before'); update solo set note = 'before' where id = 1; truncate solo;
         insert into solo values (1, 'after'), (60, 'after'); update solo set note = 'later' where id = 60; commit`,
        `begin; truncate solo; rollback`,
        `begin; savepoint s; truncate solo; rollback to s; insert into solo values (61, 'kept'); commit`,
      ],
    },
    {
      title: 'of several tables, with restart identity and by cascade',
      run: [
        `truncate parent cascade`,
        `insert into parent values (3); insert into child values (3, 3)`,
        `begin; truncate solo, parent, child restart identity; insert into solo values (9, 'nine');
         insert into parent values (4); insert into child values (4, 4); commit`,
      ],
    },
    {
      title: 'of a table of which only some rows travel',
      run: [`truncate filtered`, `insert into filtered values (2, 'approved'), (3, 'draft')`],
    },
    { title: 'and nothing after it', run: [`truncate solo`], empty: ['solo'] },
  ],
};
