/** A provider prepared by plain SQL, as `prepare` leaves it: schema, publication, grants. For tests of the provider. */
import { migrations } from '../database/migrate.ts';
import { roles, TestDatabase } from './database.ts';

export const childName = 'district_a';

/** Tables report (filtered, identity by index) and note (everything, replica identity full). */
const tables = `
  create table public.report (
    id int not null primary key,
    status text not null default 'draft',
    body text
  );
  create unique index report_identity on public.report (id, status);
  alter table public.report replica identity using index report_identity;
  alter table public.report alter column body set storage external;
  create table public.note (id int primary key, body text);
  alter table public.note replica identity full;
  create table public.unrelated (id int primary key, body text);
`;

const published = `
  alter table tributary.heartbeat replica identity default;
  create publication tributary_up for table
    public.report where (status = 'approved'), public.note, tributary.heartbeat, tributary.audit
    with (publish_via_partition_root = true);
  grant usage on schema tributary to ${roles.reader};
  grant select on tributary.node, tributary.heartbeat_log to ${roles.reader};
  grant execute on all functions in schema tributary to ${roles.reader};
`;

/** A database of its own with a node's schema, two published tables and one that is not. */
export async function createChild(major: number): Promise<TestDatabase> {
  const database = await TestDatabase.create(major);
  for (const { sql } of await migrations()) {
    await database.query(sql);
  }
  await database.query(tables);
  await database.query(
    `insert into tributary.node (name, publication_nonce) values ('${childName}', gen_random_uuid())`,
  );
  await database.query(published);
  return database;
}
