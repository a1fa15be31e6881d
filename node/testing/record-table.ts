/** One large table at one district, for what is counted in bytes: a row in a hundred has 20 kB stored out of line. */
import type { ApplicationTable } from './application.ts';
import type { Tree } from './tree.ts';

export const approved = "status = 'approved'";
const largeEvery = 100;

const tables: readonly ApplicationTable[] = [{ name: 'record', approved, key: 'id' }];

export const application = {
  tables,
  sql: `create table public.record (id uuid primary key, status text not null, entered_by text, number integer, body text, image bytea);
    alter table public.record alter column image set storage external;
    create index on public.record (number);`,
  yaml: `tables:\n  - {table: public.record, approved: "${approved}"}\n`,
};

/** Entered in the order of their numbers, keys at random: every page of a copy reads all over the table. One in ten is a draft. */
export async function enterRecords(tree: Tree, from: number, rows: number): Promise<void> {
  await tree.node('district_a').database.query(
    `insert into public.record
     select gen_random_uuid(), case when n % 10 = 0 then 'draft' else 'approved' end, 'before', n,
       (select string_agg(md5(n || ' ' || part), '') from generate_series(1, 6) part),
       case when n % ${largeEvery} = 0 then (select string_agg(sha512((n || ' image ' || part)::bytea), '') from generate_series(1, 320) part) end
     from generate_series(${from}, ${from + rows - 1}) n`,
  );
}
