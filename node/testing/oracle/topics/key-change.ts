/** Keys that change: alone, in chains, with swaps, composite, with values out of line. */
import type { Topic } from '../topic.ts';

export const keyChange: Topic = {
  name: 'key_change',
  ddl: `
    create table plain (id int primary key, note text);
    create table pair (a text, b int, note text, big text, primary key (a, b));
    alter table pair alter column big set storage external;
    create table filtered (id int primary key, status text not null, note text, big text);
    alter table filtered alter column big set storage external;`,
  tables: [
    { name: 'plain' },
    { name: 'pair', key: ['a', 'b'] },
    { name: 'filtered', approved: "status = 'approved'" },
  ],
  scenarios: [
    {
      title: 'rows arrive',
      run: [
        `insert into plain select n, 'n' || n from generate_series(1, 20) n`,
        `insert into pair select 'p' || n, n, 'n', repeat('x', 4000) || n from generate_series(1, 9) n`,
        `insert into filtered select n, case when n % 2 = 0 then 'approved' else 'draft' end, 'n', repeat('y', 4000) || n
         from generate_series(1, 20) n`,
      ],
    },
    {
      title: 'a key changes, and the row under it again',
      run: [
        `update plain set id = 101 where id = 1`,
        `begin; update plain set id = 102 where id = 2; update plain set note = 'moved' where id = 102; commit`,
        `begin; update plain set id = 103 where id = 3; delete from plain where id = 103; commit`,
        `begin; update plain set id = 104 where id = 4; insert into plain values (4, 'new'); commit`,
      ],
    },
    {
      title: 'keys go in a chain and change places',
      run: [
        `begin; update plain set id = 900 where id = 5; update plain set id = 5 where id = 6;
         update plain set id = 6 where id = 7; update plain set id = 7 where id = 900; commit`,
        `update plain set id = id + 1000 where id between 8 and 12`,
        `begin; update plain set id = id - 1000 where id > 1000; update plain set id = id + 2000 where id between 8 and 10; commit`,
      ],
    },
    {
      title: 'a composite key changes in part, its large value unchanged',
      run: [
        `update pair set b = 100 where a = 'p1'`,
        `update pair set a = 'q2' where a = 'p2'`,
        `begin; update pair set a = 'q3', b = 33 where a = 'p3'; update pair set note = 'again' where a = 'q3'; commit`,
        `begin; update pair set a = 'q4' where a = 'p4'; update pair set a = 'p4' where a = 'q4'; commit`,
        `update pair set b = b + 1`,
      ],
    },
    {
      title: 'key and approval change together',
      run: [
        `update filtered set id = 101, status = 'approved' where id = 1`,
        `update filtered set id = 102, status = 'draft' where id = 2`,
        `update filtered set id = 104 where id = 4`,
        `begin; update filtered set id = 106 where id = 6; update filtered set status = 'draft' where id = 106;
         update filtered set status = 'approved', id = 206 where id = 106; commit`,
      ],
    },
  ],
};
