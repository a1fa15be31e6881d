/** The tables of the random workloads, with what each action does to them at the provider. */
import type { Action } from './workload-plan.ts';
import type { Topic } from './topic.ts';

export const workloadTopic: Topic = {
  name: 'workload',
  ddl: `
    create table report (
      id int primary key, status text not null default 'draft', code int unique, note text, story text, amount numeric, form jsonb
    );
    alter table report alter column story set storage external;
    create table seat (id int primary key, place int unique deferrable initially deferred, note text);
    create table entry (
      name text, day int, released boolean, list text[], note text, primary key (name, day)
    ) partition by list (day);
    create table entry_even partition of entry for values in (0, 2);
    create table entry_odd partition of entry default;`,
  subscriberDdl: `alter table report add column seen text default 'no';`,
  tables: [
    { name: 'report', approved: "status = 'approved'" },
    { name: 'seat' },
    { name: 'entry', key: ['name', 'day'], approved: 'released', identity: 'full' },
  ],
  scenarios: [],
};

/** Rows of every table before each workload: some of them approved. */
export const workloadStart = `
  truncate workload.report, workload.seat, workload.entry;
  insert into workload.report
    select n, (array['draft', 'approved'])[n % 2 + 1], n, 'n', repeat('s', 2500) || n, n, jsonb_build_object('n', n)
    from generate_series(0, 9) n;
  insert into workload.seat select n, n, 'n' from generate_series(0, 7) n;
  insert into workload.entry select 'e' || n, n % 4, n % 3 > 0, array['a', null], 'n' from generate_series(0, 9) n;`;

const large = (value: number): string => `repeat('${value % 10}', 2500 + ${value})`;

/** What an action is in SQL, for a row and a value from small ranges. */
export function workloadSql(action: Action, id: number, value: number): string {
  const other = (id + 1 + (value % 7)) % 16;
  switch (action) {
    case 'draft':
      return `insert into report values (${id}, 'draft', ${value}, 'd${value}', ${large(value)}, ${value}.50, '{"v": ${value}}')`;
    case 'enterApproved':
      return `insert into report values (${id}, 'approved', ${value}, 'a', null, null, 'null')`;
    case 'approve':
      return `update report set status = 'approved' where id = ${id}`;
    case 'withdraw':
      return `update report set status = 'draft' where id = ${id}`;
    case 'edit':
      return `update report set note = note || '${value}', amount = amount * 1.10 where id = ${id}`;
    case 'editLarge':
      return `update report set story = ${value % 5 === 0 ? 'null' : large(value)} where id = ${id}`;
    case 'remove':
      return `delete from report where id = ${id}`;
    case 'changeKey':
      return `update report set id = ${other} where id = ${id}`;
    case 'changeKeyAndApprove':
      return `update report set id = ${other}, status = case status when 'draft' then 'approved' else 'draft' end where id = ${id}`;
    case 'reinsert':
      return `delete from report where id = ${id}; insert into report values (${id}, 'approved', ${value}, 'again')`;
    case 'moveCode':
      return `update report set code = ${value} where id = ${id}`;
    case 'swapCodes':
      return `update report set code = 1000 + ${id} where id = ${id}; update report set code = ${value} where id = ${other}; update report set code = ${(value + 1) % 24} where id = ${id}`;
    case 'takeSeat':
      return `insert into seat values (${id}, ${value}, 's')`;
    case 'swapSeats':
      return `update seat set place = case id when ${id} then (select place from seat where id = ${other}) else (select place from seat where id = ${id}) end
        where id in (${id}, ${other}) and 2 = (select count(*) from seat where id in (${id}, ${other}))`;
    case 'moveSeat':
      return `update seat set place = ${value} where id = ${id} and not exists (select from seat where place = ${value})`;
    case 'leaveSeat':
      return `delete from seat where id = ${id}`;
    case 'addEntry':
      return `insert into entry values ('e${id}', ${value % 4}, ${value % 3 === 0 ? 'null' : value % 3 === 1}, array['${value}', null], 'n')`;
    case 'moveEntry':
      return `update entry set day = ${value % 4} where name = 'e${id}'`;
    case 'editEntry':
      return `update entry set released = ${value % 2 === 0 ? 'not released' : 'released'}, note = note || '${value}' where name = 'e${id}'`;
    case 'removeEntry':
      return `delete from entry where name = 'e${id}' and day = ${value % 4}`;
    case 'manyEntries':
      return `insert into entry select 'm' || n, ${value % 4}, n % 2 = 0, '{}', repeat('n', 50) from generate_series(1, 200) n on conflict do nothing`;
    case 'truncateEntries':
      return value === 0 ? `truncate entry` : `delete from entry where day = ${value % 4}`;
    default:
      throw new RangeError(action satisfies never);
  }
}
