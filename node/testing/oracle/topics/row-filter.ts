/** Row filters: every way a row enters and leaves, nulls, several columns, identity full, filters on keys. */
import type { Topic } from '../topic.ts';

export const rowFilter: Topic = {
  name: 'row_filters',
  ddl: `
    create table plain (id int primary key, status text not null, note text);
    create table nullable (id int primary key, released boolean, note text);
    create table several (id int primary key, status text not null, level int not null, note text);
    create table by_key (id int primary key, note text);
    create table whole (id int primary key, status text, amount numeric, note text);
    create table dated (id int primary key, day date not null, open boolean not null, note text);`,
  tables: [
    { name: 'plain', approved: "status in ('approved', 'final')" },
    { name: 'nullable', approved: 'released' },
    { name: 'several', approved: "status = 'approved' and (level > 3 or level = 0)" },
    { name: 'by_key', approved: 'id > 100' },
    { name: 'whole', approved: 'status is not null and amount >= 10', identity: 'full' },
    { name: 'dated', approved: "day >= '2024-01-01' and not open" },
  ],
  scenarios: [
    {
      title: 'inserted',
      run: [
        `insert into plain select n, (array['draft', 'approved', 'final'])[n % 3 + 1], 'n' from generate_series(1, 12) n`,
        `insert into nullable values (1, true), (2, false), (3, null), (4, true)`,
        `insert into several select n, (array['draft', 'approved'])[n % 2 + 1], n % 6, 'n' from generate_series(1, 24) n`,
        `insert into by_key select n * 20, 'n' from generate_series(1, 10) n`,
        `insert into whole values (1, 'a', 10), (2, null, 10), (3, 'a', 9.99), (4, 'a', 'NaN'), (5, 'a', null)`,
        `insert into dated values (1, '2024-01-01', false), (2, '2023-12-31', false), (3, 'infinity', true), (4, 'infinity', false)`,
      ],
    },
    {
      title: 'entering, staying and leaving',
      run: [
        `update plain set status = 'approved' where status = 'draft'`,
        `update plain set status = 'final', note = 'final' where id = 1`,
        `update plain set status = 'draft' where id in (2, 3)`,
        `update plain set note = 'unseen' where id = 2`,
        `update nullable set released = null where id = 1`,
        `update nullable set released = true where id in (2, 3)`,
        `update nullable set note = 'x'`,
        `update several set level = level + 1`,
        `update several set status = 'draft' where level = 5`,
        `update by_key set id = id + 50 where id in (60, 80)`,
        `update by_key set id = id - 110 where id in (120, 140)`,
        `update whole set amount = amount + 1`,
        `update whole set status = null where id = 1`,
        `update whole set status = 'b', amount = 100 where id in (2, 5)`,
        `update dated set open = not open`,
        `delete from plain where id > 9`,
        `delete from whole where id = 3`,
      ],
    },
    {
      title: 'several times in one transaction',
      run: [
        `begin; update plain set status = 'draft' where id = 4; update plain set note = 'a' where id = 4; update plain set status = 'approved' where id = 4; commit`,
        `begin; update plain set status = 'draft' where id = 5; update plain set status = 'approved', note = 'b' where id = 5; update plain set status = 'draft' where id = 5; commit`,
        `begin; update by_key set id = 1 where id = 160; update by_key set id = 161 where id = 1; update by_key set note = 'back' where id = 161; commit`,
      ],
    },
  ],
};
