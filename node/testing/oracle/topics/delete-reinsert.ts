/** Rows that go and come again, in one transaction and over several. */
import type { Topic } from '../topic.ts';

export const deleteReinsert: Topic = {
  name: 'delete_and_reinsert',
  ddl: `
    create table note (id int primary key, body text, big text);
    alter table note alter column big set storage external;
    create table filtered (id int primary key, status text not null, body text);`,
  subscriberDdl: `alter table note add column seen text default 'no';`,
  tables: [{ name: 'note' }, { name: 'filtered', approved: "status = 'approved'" }],
  scenarios: [
    {
      title: 'rows arrive',
      run: [
        `insert into note select n, 'b' || n, repeat('x', 3000) || n from generate_series(1, 12) n`,
        `insert into filtered select n, 'approved', 'b' from generate_series(1, 12) n`,
      ],
    },
    {
      title: 'a row made again has the local defaults; one that only changed keeps local values',
      run: async (stage) => {
        await stage.subscribers(`update note set seen = 'yes'`);
        const session = await stage.session('one');
        await session.query(
          `begin; delete from note where id = 1; insert into note values (1, 'again', 'small'); commit`,
        );
        await session.query(`update note set body = 'changed' where id = 2`);
        await session.query(`begin; delete from note where id = 3; insert into note values (3, 'a', 'b');
          delete from note where id = 3; insert into note values (3, 'c', 'd'); update note set body = 'e' where id = 3; commit`);
        await session.query(`update note set id = 104 where id = 4`);
      },
    },
    {
      title: 'rows that are made and removed leave nothing',
      run: [
        `begin; insert into note values (50, 'x', 'y'); update note set body = 'z' where id = 50; delete from note where id = 50; commit`,
        `insert into note values (51, 'x', 'y')`,
        `delete from note where id = 51`,
        `begin; delete from note where id = 5; commit`,
        `begin; insert into note values (5, 'five', null); update note set id = 52 where id = 5; delete from note where id = 52;
         insert into note values (5, 'five again', null); commit`,
      ],
    },
    {
      title: 'withdrawn, deleted and made again',
      run: [
        `begin; update filtered set status = 'draft' where id = 1; update filtered set status = 'approved', body = 'n' where id = 1; commit`,
        `begin; update filtered set status = 'draft' where id = 2; delete from filtered where id = 2; insert into filtered values (2, 'approved', 'new'); commit`,
        `begin; delete from filtered where id = 3; insert into filtered values (3, 'draft', 'new'); commit`,
        `begin; update filtered set status = 'draft' where id = 4; update filtered set body = 'draft' where id = 4; delete from filtered where id = 4; commit`,
        `begin; insert into filtered values (30, 'draft', 'a'); update filtered set status = 'approved' where id = 30;
         update filtered set status = 'draft' where id = 30; update filtered set status = 'approved', body = 'b' where id = 30; commit`,
      ],
    },
  ],
};
