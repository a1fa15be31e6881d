/** Unique values handed from row to row: in one transaction, over several, immediate and deferred, with key changes. */
import type { Topic } from '../topic.ts';

export const uniqueValue: Topic = {
  name: 'unique_values',
  ddl: `
    create table bed (id int primary key, code text unique, ward int, number int, unique (ward, number));
    create table seat (id int primary key, code text unique deferrable initially deferred);
    create table chair (id int primary key, code text unique deferrable initially immediate);
    create table slot (id int primary key, room int, during int4range,
      exclude using gist (room with =, during with &&) deferrable);
    create table pass (id int primary key, status text not null, code text);
    create unique index on pass (code) where status = 'approved';
    create table folded (id int primary key, name text);
    create unique index on folded (lower(name));`,
  extensions: ['btree_gist'],
  tables: [
    { name: 'bed' },
    { name: 'seat' },
    { name: 'chair' },
    { name: 'slot' },
    { name: 'pass', approved: "status = 'approved'" },
    { name: 'folded' },
  ],
  scenarios: [
    {
      title: 'rows arrive',
      run: [
        `insert into bed select n, 'c' || n, n % 3, n from generate_series(1, 20) n`,
        `insert into seat select n, 'c' || n from generate_series(1, 20) n`,
        `insert into chair select n, 'c' || n from generate_series(1, 20) n`,
        `insert into slot select n, n % 2, int4range(n * 10, n * 10 + 10) from generate_series(1, 10) n`,
        `insert into pass select n, case when n % 2 = 0 then 'approved' else 'draft' end, 'c' || (n + 1) / 2 from generate_series(1, 20) n`,
        `insert into folded select n, 'Name ' || n from generate_series(1, 9) n`,
      ],
    },
    {
      title: 'a value goes round in one transaction',
      run: [
        `begin; update bed set code = null where id = 1; update bed set code = 'c1' where id = 2;
         update bed set code = 'c2' where id = 3; update bed set code = 'c3' where id = 1; commit`,
        `begin; delete from bed where id = 4; insert into bed values (104, 'c4', 1, 4);
         update bed set code = 'x4' where id = 104; insert into bed values (4, 'c4', 2, 400); commit`,
        `begin; update bed set ward = 9 where id = 5; update bed set ward = 2, number = 5 where id = 6;
         update bed set ward = 0, number = 6 where id = 5; commit`,
      ],
    },
    {
      title: 'a value passes through many transactions',
      run: Array.from(
        { length: 12 },
        (_, at) => `begin; update bed set code = 'free' || ${at} where code = 'c7';
          update bed set code = 'c7' where id = ${8 + (at % 5)}; commit`,
      ),
    },
    {
      title: 'key and value are exchanged together',
      run: [
        `begin; update bed set id = 1013 where id = 13; update bed set code = 'y13' where id = 1013;
         update bed set id = 13, code = 'c13' where id = 14; update bed set id = 14, code = 'c14' where id = 1013; commit`,
      ],
    },
    {
      title: 'deferred values change places in one statement',
      run: [
        `update seat set code = case id when 1 then 'c2' else 'c1' end where id in (1, 2)`,
        `update seat set code = 'c' || (id % 20 + 1)`,
        `update chair set code = 'c' || (id % 20 + 1)`,
        `begin; set constraints all deferred; update slot set during = int4range(10, 20) where id = 3;
         update slot set during = int4range(30, 40) where id = 1; commit`,
        `begin; insert into seat values (21, 'c5'); delete from seat where code = 'c5' and id <> 21; commit`,
      ],
    },
    {
      title: 'a value is free where the row that held it is not approved',
      run: [
        `update pass set code = 'z' where id = 1`,
        `begin; update pass set status = 'draft' where id = 2; update pass set code = 'c1', status = 'approved' where id = 3; commit`,
        `begin; update pass set status = 'draft' where id = 4; update pass set status = 'approved', code = 'c2' where id = 5;
         update pass set code = 'q' where id = 5; update pass set status = 'approved' where id = 4; commit`,
      ],
    },
    {
      title: 'an index over an expression',
      run: [
        `begin; update folded set name = 'tmp' where id = 1; update folded set name = 'NAME 1' where id = 2;
         update folded set name = 'name 2' where id = 1; commit`,
      ],
    },
  ],
};
