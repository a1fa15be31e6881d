/** Transactions: large ones with savepoints, overlapping ones, rolled back ones, and foreign keys in every order. */
import type { Topic } from '../topic.ts';

export const transaction: Topic = {
  name: 'transactions',
  ddl: `
    create table item (id int primary key, grp int, code int unique, note text);
    create table parent (id int primary key, name text);
    create table child (id int primary key, parent int references parent deferrable initially deferred, note text);
    create table empty_here (id int primary key);`,
  tables: [{ name: 'item' }, { name: 'parent' }, { name: 'child' }, { name: 'empty_here' }],
  scenarios: [
    {
      title: 'a large one with savepoints, some rolled back',
      empty: ['parent', 'child', 'empty_here'],
      run: [
        `begin;
         insert into item select n, n % 7, n, repeat('x', 100) || n from generate_series(1, 8000) n;
         savepoint a; update item set note = 'gone' where grp = 1; rollback to a;
         savepoint b; update item set note = 'kept', code = code + 100000 where grp = 2; release b;
         savepoint c; delete from item where grp = 3; savepoint d; delete from item where grp = 4; rollback to d; release c;
         insert into item select n, 8, n, 'late' from generate_series(9000, 9500) n;
         commit`,
      ],
    },
    {
      title: 'one larger than memory, with values handed on in it',
      empty: ['parent', 'child', 'empty_here'],
      run: [
        `begin;
         insert into item select n, 9, n, repeat('y', 700) || n from generate_series(20000, 36000) n;
         update item set code = -code where id between 20000 and 20400;
         update item set code = -code - 1 where id between 20000 and 20399;
         update item set note = 'short' where id > 30000;
         delete from item where id % 5 = 0;
         commit`,
      ],
    },
    {
      title: 'overlapping ones arrive in the order of their commits',
      empty: ['parent', 'child', 'empty_here'],
      run: async (stage) => {
        const a = await stage.session('a');
        const b = await stage.session('b');
        const c = await stage.session('c');
        await a.query(`begin; insert into item values (-1, 0, -1, 'a')`);
        await b.query(`begin; insert into item values (-2, 0, -2, 'b')`);
        await c.query(`insert into item values (-3, 0, -3, 'c')`);
        await b.query(`update item set note = 'b2' where id = -2`);
        await b.query(`commit`);
        await a.query(`update item set note = 'a over b' where id = -2`);
        await a.query(`savepoint s; update item set code = -33 where id = -3; release s`);
        await c.query(`begin; insert into item values (-4, 0, -4, 'c')`);
        await a.query(`commit`);
        await c.query(`update item set code = -3 where id = -2; commit`);
      },
    },
    {
      title: 'children before parents, parents removed first, all in one',
      empty: ['empty_here'],
      run: [
        `begin; insert into child values (1, 1, 'early'); insert into parent values (1, 'late'); commit`,
        `insert into parent select n, 'p' from generate_series(2, 9) n`,
        `insert into child select n, n, 'c' from generate_series(2, 9) n`,
        `begin; delete from parent where id = 2; delete from child where parent = 2; commit`,
        `begin; delete from parent where id = 3; insert into parent values (30, 'new'); update child set parent = 30 where parent = 3; commit`,
        `begin; update parent set id = 40 where id = 4; update child set parent = 40 where parent = 4; commit`,
      ],
    },
    {
      title: 'nothing, messages, and rolled back work',
      empty: ['empty_here'],
      run: [
        `begin; commit`,
        `begin; insert into empty_here values (1); rollback`,
        `select pg_logical_emit_message(true, 'app', 'x'), pg_logical_emit_message(false, 'tributary', 'publication')`,
        `begin; select pg_logical_emit_message(true, 'app', 'x'); insert into item values (-9, 0, -9, 'm'); commit`,
        `begin; insert into empty_here values (1); delete from empty_here; commit`,
      ],
    },
  ],
};
