/** What native does not do right: the scenarios of `allowances`, each alone because native does not recover. */
import type { Topic } from '../topic.ts';

export const missingRow: Topic = {
  name: 'missing_rows',
  alone: true,
  ddl: `create table note (id int primary key, body text);`,
  tables: [{ name: 'note' }],
  scenarios: [
    {
      title: 'rows arrive',
      run: [`insert into note select n, 'b' || n from generate_series(1, 9) n`],
    },
    {
      title: 'an update of a row that is missing here brings it back; a delete of one is nothing',
      allow: 'native_leaves_missing',
      before: `delete from note where id in (1, 2, 3)`,
      run: [
        `update note set body = 'changed' where id in (1, 4)`,
        `delete from note where id = 2`,
        `update note set id = 30 where id = 3`,
      ],
    },
  ],
};

export const existing: Topic = {
  name: 'existing_rows',
  alone: true,
  ddl: `create table note (id int primary key, body text); create table after (id int primary key);`,
  tables: [{ name: 'note' }, { name: 'after' }],
  scenarios: [
    {
      title: 'a row that is here already becomes what was sent',
      allow: 'native_stops',
      before: `insert into note values (1, 'before')`,
      beforeOurs: `update note set tributary_origin = 'district_a'`,
      run: [`insert into note values (1, 'sent'), (2, 'sent')`, `insert into after values (1)`],
    },
  ],
};

export const siblings: Topic = {
  name: 'siblings',
  alone: true,
  ddl: `create table note (id int primary key, body text);`,
  tables: [{ name: 'note' }],
  scenarios: [
    {
      title: 'rows arrive',
      run: [`insert into note select n, 'b' || n from generate_series(1, 9) n`],
    },
    {
      title: 'a truncate leaves the rows of others',
      allow: 'native_truncates_siblings',
      before: `insert into note values (1000, 'of another district')`,
      beforeOurs: `update note set tributary_origin = 'district_b' where id = 1000`,
      run: [`truncate note`, `insert into note values (1, 'new')`],
    },
  ],
};

export const duplicates: Topic = {
  name: 'deferrable_keys',
  alone: true,
  ddl: `create table seat (id int primary key, code text unique deferrable initially deferred);`,
  tables: [{ name: 'seat' }],
  scenarios: [
    {
      title: 'a value that stands here already under another key',
      allow: 'native_lets_duplicates',
      parked: ['seat ["1"] row_failed 23505 seat_code_key'],
      missing: ['seat: - (1,c1)'],
      before: `insert into seat values (100, 'c1')`,
      run: [`insert into seat values (1, 'c1'), (2, 'c2')`],
    },
  ],
};

export const leftBehind: Topic = {
  name: 'values_left_behind',
  alone: true,
  ddl: `
    create table report (id int primary key, status text not null, story text);
    alter table report alter column story set storage external;`,
  tables: [{ name: 'report', approved: "status = 'approved'", carry: 'none' }],
  scenarios: [
    {
      title: 'an approval that does not touch a large value, and no trigger that carries it',
      allow: 'native_null_out_of_line',
      parked: ['report ["1"] value_missing'],
      missing: [/^report: - .*\(1,approved,x/],
      run: [
        `insert into report values (1, 'draft', repeat('x', 5000)), (2, 'approved', 'y')`,
        `update report set status = 'approved' where id = 1`,
      ],
    },
  ],
};

export const orphans: Topic = {
  name: 'orphans',
  alone: true,
  ddl: `
    create table ward (id int primary key, released boolean not null);
    create table bed (id int primary key, ward int references ward);`,
  tables: [{ name: 'ward', approved: 'released' }, { name: 'bed' }],
  scenarios: [
    {
      title: 'a row whose referenced row has not arrived',
      allow: 'native_stores_orphans',
      parked: ['bed ["1"] orphan'],
      missing: ['bed: - (1,1)'],
      run: [
        `insert into ward values (1, false), (2, true)`,
        `insert into bed values (1, 1), (2, 2), (3, null)`,
      ],
    },
  ],
};

export const refused: Topic = {
  name: 'refused_rows',
  alone: true,
  ddl: `
    create table note (id int primary key, body text, a_table regclass);
    create table after (id int primary key);`,
  subscriberDdl: `
    -- What is too long for the type does not break the check besides, so that there is one reason for it.
    alter table note add constraint short check (length(body) < 9 or length(body) > 20);
    alter table note alter column body type varchar(20);`,
  tables: [{ name: 'note' }, { name: 'after' }],
  scenarios: [
    {
      title: 'rows that this database refuses, among others',
      allow: 'native_stops',
      parked: [
        'note ["2"] row_failed 23514 short',
        'note ["3"] row_failed 22001',
        'note ["4"] row_failed 42P01',
      ],
      missing: [/^note: - \(2,/, /^note: - \(3,/, /^note: - \(4,/],
      run: [
        `create table refused_rows.only_there (id int)`,
        `begin; insert into note values (1, 'good', 'pg_class'); insert into note values (2, 'far too long'); insert into after values (1); commit`,
        `insert into note values (3, repeat('x', 30), null), (4, 'odd', 'only_there'), (5, 'good', null)`,
        `insert into after values (2)`,
      ],
    },
  ],
};
