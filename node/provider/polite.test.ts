/** A question never costs the provider's application a statement: it gives up before PostgreSQL would end either. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChild } from '../testing/child.ts';
import { majors, roles, type TestDatabase } from '../testing/database.ts';
import { failsWith } from '../testing/fails-with.ts';
import { openChild } from '../testing/stream-reader.ts';
import { until } from '../testing/until.ts';
import type { TableColumns } from './reader.ts';

/** That the reader waits for a lock, and is in the way of others meanwhile. */
async function waits(database: TestDatabase): Promise<boolean> {
  const { rows } = await database.query(
    `select from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where not l.granted and a.usename = '${roles.reader}' and a.datname = current_database()`,
  );
  return rows.length > 0;
}

for (const major of majors()) {
  void test(`PostgreSQL ${major}: a truncate of several tables goes through while the provider is asked about them`, async () => {
    await using database = await createChild(major);
    await using provider = openChild(database);
    const note: TableColumns = { schema: 'public', name: 'note', columns: ['id'], key: ['id'] };
    const all = { after: null, upto: null };
    const asking = [
      // PostgreSQL 15 tells what is published without a lock.
      ...(major > 15 ? [async (): Promise<unknown> => await provider.describe()] : []),
      async () => {
        await using reader = await provider.openReader();
        await using view = await reader.look();
        await view.estimate({ ...note, name: 'report' });
        await view.hashes(note, [all]);
      },
    ];
    for (const ask of asking) {
      const client = await database.admin.connect();
      try {
        await client.query('begin; lock table public.note in access exclusive mode');
        const asked = assert.rejects(ask(), failsWith('provider_busy', { sqlstate: '55P03' }));
        await until(async () => await waits(database), {
          what: 'the question waits',
          ms: 20_000,
          everyMs: 5,
        });
        // A question that went on waiting would hold this for ever: a deadlock, in which the application may lose.
        await client.query('lock table public.report in access exclusive mode');
        await client.query('truncate public.report, public.note');
        await asked;
      } finally {
        await client.query('rollback');
        client.release();
      }
      await ask();
    }
  });
}
