/** Rows that one node cannot store, approved beside a workload: they are parked there until they are made fit. */
import { setTimeout as pause } from 'node:timers/promises';
import { roles } from './database.ts';
import type { NodeDatabase } from './node-database.ts';
import type { Random } from './random.ts';

/** At the node that cannot store them. */
export const unfitSql = `alter table public.case_report add constraint fit check (note is distinct from 'unfit')`;

/** New ones, and rows of before that become unfit, until told to stop. */
export async function enterUnfit(
  database: NodeDatabase,
  random: Random,
  signal: AbortSignal,
): Promise<void> {
  const client = await database.client(roles.owner);
  try {
    while (!signal.aborted) {
      await client.query(
        random.chance(0.6)
          ? `insert into public.case_report (id, status, entered_by, note)
             values ('${random.uuid()}', 'approved', 'unfit clerk', '${random.pick(['unfit', 'fit'])}')`
          : `update public.case_report set note = 'unfit' where id in (
               select id from public.case_report where entered_by = 'unfit clerk' limit 1)`,
      );
      await pause(20 + random.below(60), undefined, { signal }).catch(() => {});
    }
  } finally {
    await client.end();
  }
}

/** Some are mended and some removed where they were entered. */
export async function mendUnfit(database: NodeDatabase): Promise<void> {
  await database.query(
    `update public.case_report set note = 'mended' where note = 'unfit';
     delete from public.case_report where entered_by = 'unfit clerk' and id::text < '8'`,
  );
}
