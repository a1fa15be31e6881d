/**
 * Full disks. PostgreSQL reports SQLSTATE 53100 when a write ends short; a limit on the size of files that is no
 * multiple of a page makes it end so without a superuser of the machine. From 16 on, tables grow by another call that
 * reports the limit as something else, hence 15.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { majors } from '../database.ts';
import { Trouble } from '../trouble.ts';

const run = promisify(execFile);
/** A segment of the log must still fit. */
const limitBytes = (16 << 20) + 4096;

void test(
  'the subscriber has no room: named, nothing half applied, and with room it goes on by itself',
  {
    skip:
      majors().includes(15) && process.platform === 'linux'
        ? false
        : 'needs PostgreSQL 15 and Linux',
  },
  async () => {
    await using trouble = await Trouble.create({ major: 15 });
    trouble.start();
    await trouble.flows();
    await limit(trouble, limitBytes);
    const rows = 1100;
    await trouble.child.query(
      `insert into public.case_report (id, status, note, narrative)
       select gen_random_uuid(), 'approved', $1, repeat('x', 16000) from generate_series(1, ${rows})`,
      [trouble.value],
    );
    const { problem } = await trouble.streamFails('disk_full', 'retrying');
    assert.equal(problem?.context['sqlstate'], '53100');
    const counted = `select from public.case_report where narrative <> note`;
    assert.equal((await trouble.parent.query(counted)).length, 0);
    await limit(trouble, null);
    await trouble.flows();
    assert.equal((await trouble.parent.query(counted)).length, rows);
  },
);

void test('the spool has no room: named, and with a directory that takes it the stream goes on', async () => {
  await using trouble = await Trouble.create();
  const spool = join(trouble.directory, 'spool');
  // A file where the directory should be refuses every user, root too, as a full disk does.
  await writeFile(spool, '');
  trouble.start();
  await trouble.flows();
  const rows = 700;
  await trouble.child.query(
    `insert into public.case_report (id, status, note, narrative)
     select gen_random_uuid(), 'approved', $1, repeat('x', 16000) from generate_series(1, ${rows})`,
    [trouble.value],
  );
  const { problem } = await trouble.streamFails('spool_full', 'retrying');
  assert.equal(problem?.context['reason'], 'EEXIST');
  await rm(spool);
  await mkdir(spool);
  await trouble.flows();
  const arrived = await trouble.parent.query(
    `select from public.case_report where narrative <> note`,
  );
  assert.equal(arrived.length, rows);
});

/** Clusters run as nobody when the tests run as root, and only the same user may limit a process. */
const sameUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** Of the files of the parent's PostgreSQL, its later and its running processes; null: none. */
async function limit({ parent }: Trouble, bytes: number | null): Promise<void> {
  const wanted = `--fsize=${bytes ?? 'unlimited'}:`;
  await run('prlimit', [`--pid=${parent.cluster.pid}`, wanted], sameUser);
  const backends = await parent.query<{ pid: number }>(`select pid from pg_stat_activity`);
  for (const { pid } of backends) {
    // One that has ended meanwhile needs no limit; any other failure is one.
    await run('prlimit', [`--pid=${pid}`, wanted], sameUser).catch((error: unknown) => {
      assert.equal(existsSync(`/proc/${pid}`), false, String(error));
    });
  }
}
