/** Partitioned tables, published by the root: moves between partitions, other partitions here, none here. */
import type { Topic } from '../topic.ts';

export const partition: Topic = {
  name: 'partitions',
  ddl: `
    create table alike (id int, day date, status text not null, note text, primary key (id, day)) partition by range (day);
    create table alike_24 partition of alike for values from ('2024-01-01') to ('2025-01-01');
    create table alike_25 partition of alike for values from ('2025-01-01') to ('2026-01-01') partition by list (day);
    create table alike_25_a partition of alike_25 for values in ('2025-01-01', '2025-01-02');
    create table alike_25_b partition of alike_25 default;
    create table hashed (id int primary key, note text) partition by hash (id);
    create table hashed_0 partition of hashed for values with (modulus 2, remainder 0);
    create table hashed_1 (note text, id int not null);
    alter table hashed attach partition hashed_1 for values with (modulus 2, remainder 1);`,
  providerDdl: `
    set role application_owner;
    create table here_plain (id int, k int, note text, primary key (id, k)) partition by list (k);
    create table here_plain_1 partition of here_plain for values in (1);
    create table here_plain_2 partition of here_plain for values in (2);
    create table there_plain (id int, k int, note text, primary key (id, k));`,
  subscriberDdl: `
    set role application_owner;
    create table here_plain (id int, k int, note text, primary key (id, k));
    create table there_plain (note text, k int, id int, primary key (id, k)) partition by list (k);
    create table there_plain_1 partition of there_plain for values in (1);
    create table there_plain_2 partition of there_plain default;`,
  tables: [
    { name: 'alike', key: ['id', 'day'], approved: "status = 'approved'" },
    { name: 'hashed' },
    { name: 'here_plain', key: ['id', 'k'] },
    { name: 'there_plain', key: ['id', 'k'] },
  ],
  scenarios: [
    {
      title: 'rows come, change, move and go',
      run: [
        `insert into alike select n, '2024-12-25'::date + n, case when n % 3 > 0 then 'approved' else 'draft' end, 'n' from generate_series(1, 20) n`,
        `insert into hashed select n, 'n' || n from generate_series(1, 20) n`,
        `insert into here_plain select n, n % 2 + 1, 'n' from generate_series(1, 20) n`,
        `insert into there_plain select n, n % 3, 'n' from generate_series(1, 20) n`,
        `update alike set day = day + 10 where id < 8`,
        `update alike set day = '2025-01-02', status = 'approved' where id = 9`,
        `update alike set day = '2024-01-02', status = 'draft' where id = 10`,
        `begin; update alike set note = 'a', day = '2025-06-01' where id = 11; update alike set note = 'b', day = '2024-06-01' where id = 11; commit`,
        `update hashed set id = id + 1000 where id < 6`,
        `begin; delete from hashed where id = 7; insert into hashed values (7, 'again'); update hashed set note = 'x' where id = 7; commit`,
        `update here_plain set k = 3 - k where id < 5`,
        `update there_plain set k = k + 1 where id < 9`,
        `delete from alike where id = 12`,
      ],
    },
    {
      title: 'a truncated root, and rows again',
      run: [
        `truncate hashed`,
        `insert into hashed values (1, 'new'), (2, 'new')`,
        `begin; truncate here_plain; insert into here_plain values (1, 1, 'a'), (2, 2, 'b'); commit`,
      ],
    },
    {
      title: 'a new partition at the provider, which has one here too',
      run: async (stage) => {
        const ddl = `create table alike_26 partition of alike for values from ('2026-01-01') to ('2027-01-01')`;
        await stage.subscribers(ddl);
        await stage.upgraded(ddl);
        const session = await stage.session('one');
        await session.query(
          `insert into alike values (50, '2026-03-03', 'approved', 'new partition')`,
        );
        await session.query(`update alike set note = 'changed', day = '2026-03-04' where id = 50`);
        await session.query(`update alike set day = '2024-03-04' where id = 50`);
      },
    },
  ],
};
