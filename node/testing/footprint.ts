/** What a node holds of the machine and of its databases: what a leak of any kind makes grow. Linux only. */
import { readdir } from 'node:fs/promises';
import { roles } from './database.ts';
import type { Tree } from './tree.ts';

export interface Footprint {
  /** Resident memory, bytes. */
  readonly memory: number;
  /** Open files, sockets among them. */
  readonly files: number;
  /** Sessions of Tributary's at its own database. */
  readonly sessions: number;
  /** Sessions of the parent's, walsenders and readers, at this node's database. */
  readonly readers: number;
  readonly slots: number;
  /** Bytes of the tables of the schema `tributary`, but for the audit, which is kept. */
  readonly stored: number;
}

export async function footprint(tree: Tree, name: string): Promise<Footprint> {
  const process = tree.process(name);
  const [counted] = await tree
    .node(name)
    .database.query<{ sessions: number; readers: number; slots: number; stored: number }>(
      `select
         count(*) filter (where usename = '${roles.writer}')::int as sessions,
         count(*) filter (where usename = '${roles.reader}')::int as readers,
         (select count(*)::int from pg_replication_slots) as slots,
         (
           select sum(pg_total_relation_size(c.oid))::float8
           from pg_class c
           where c.relnamespace = 'tributary'::regnamespace and c.relkind = 'r' and c.relname <> 'audit'
         ) as stored
       from pg_stat_activity`,
    );
  return {
    memory: await process.memory('VmRSS'),
    files: (await readdir(`/proc/${process.pid}/fd`)).length,
    sessions: counted?.sessions ?? 0,
    readers: counted?.readers ?? 0,
    slots: counted?.slots ?? 0,
    stored: counted?.stored ?? 0,
  };
}
