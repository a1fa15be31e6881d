/** What can not be applied, and what passes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import pg from 'pg';
import { failsWith } from '../testing/fails-with.ts';
import { StreamPair, type StreamPairOptions, table } from '../testing/stream-pair.ts';
import { until } from '../testing/until.ts';

const options: StreamPairOptions = {
  ddl: `
    create table visit (id int primary key, note text, body text);
    alter table visit alter column body set storage external`,
  tables: [table('visit', { key: ['id'] })],
  subscriberDdl: `alter table visit add constraint short check (length(note) < 10)`,
};
const big = randomBytes(8000).toString('hex');

void test('a row that can not be stored is parked with SQLSTATE and constraint; everything else arrives', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit select n, 'good' from generate_series(1, 20) n`);
  await pair.drain(applier);
  for (let n = 21; n < 30; n += 1) {
    await pair.provider.query(
      `insert into visit values (${n}, '${n === 25 ? 'far too long' : 'ok'}')`,
    );
  }
  const part = await pair.part();
  await applier.apply(part);
  assert.equal(await pair.storedPosition(), part.position);
  assert.deepEqual(await pair.parked(), ['visit ["25"] row_failed 23514 short']);
  const all = await pair.rows('provider', 'visit');
  assert.deepEqual(
    await pair.rows('subscriber', 'visit'),
    all.filter((row) => !row.startsWith('(25,')),
  );
});

void test('nothing of a part that fails as a whole is here, its position neither', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier({ lockTimeoutMs: 50 });
  await pair.provider.query(`insert into visit values (1, 'x')`);
  await pair.drain(applier);
  const before = await pair.storedPosition();
  await pair.provider.query(`insert into visit values (2, 'x')`);
  await pair.provider.query(`update visit set note = 'y' where id = 1`);
  const part = await pair.part();
  const holder = new pg.Client({ connectionString: pair.subscriber.url() });
  await holder.connect();
  try {
    await holder.query(`begin; select from visit where id = 1 for update`);
    await assert.rejects(applier.apply(part), failsWith('local_busy', { sqlstate: '55P03' }));
    assert.equal((await pair.rows('subscriber', 'visit')).length, 1);
    assert.equal(await pair.storedPosition(), before);
  } finally {
    await holder.end();
  }
});

void test('a bad row that is mended within the part is no failure', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1, 'far too long')`);
  await pair.provider.query(`update visit set note = 'short'`);
  await pair.drain(applier);
  await pair.assertEqual('visit');
  assert.deepEqual(await pair.parked(), []);
});

void test('a whole row to be updated that is missing here is brought back', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit select n, 'x' from generate_series(1, 5) n`);
  await pair.drain(applier);
  await pair.subscriber.query(`delete from visit where id in (2, 3)`);
  await pair.provider.query(`update visit set note = 'y' where id < 4`);
  await pair.provider.query(`delete from visit where id = 3`);
  await pair.provider.query(`update visit set id = 22 where id = 2`);
  await pair.drain(applier);
  await pair.assertEqual('visit');
  assert.deepEqual(
    applier.progress().conflicts,
    new Map([
      ['update_missing public.visit', 1],
      ['delete_missing public.visit', 1],
    ]),
  );
});

void test('a row that stands here already is overwritten and counted', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  await pair.subscriber.query(
    `insert into visit (id, note, tributary_origin) values (1, 'old', 'district_a')`,
  );
  await pair.provider.query(`insert into visit values (1, 'new'), (2, 'new')`);
  await pair.drain(applier);
  await pair.assertEqual('visit');
  assert.deepEqual(applier.progress().conflicts, new Map([['insert_exists public.visit', 1]]));
});

void test('a missing row whose out-of-line value did not travel is never written with null', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1, 'x', $1)`, [big]);
  await pair.drain(applier);
  await pair.subscriber.query(`delete from visit`);
  await pair.provider.query(`update visit set note = 'y'`);
  await pair.drain(applier);
  assert.deepEqual(await pair.rows('subscriber', 'visit'), []);
  assert.deepEqual(await pair.parked(), ['visit ["1"] update_missing']);
  assert.deepEqual(applier.progress().conflicts, new Map([['update_missing public.visit', 1]]));
});

void test('a row that enters the filter without its out-of-line value is never written with null', async () => {
  await using pair = await StreamPair.create({
    ...options,
    providerDdl: `
      alter table visit alter column note set not null;
      create unique index visit_up on visit (id, note);
      alter table visit replica identity using index visit_up`,
    publication: `create publication tributary_up for table visit where (note = 'approved')`,
  });
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1, 'draft', $1)`, [big]);
  await pair.provider.query(`update visit set note = 'approved'`);
  await pair.drain(applier);
  assert.deepEqual(await pair.rows('subscriber', 'visit'), []);
  assert.deepEqual(await pair.parked(), ['visit ["1"] value_missing']);
  const { rows } = await pair.subscriber.query(
    `select from tributary.parked where retry_at <= now()`,
  );
  assert.equal(rows.length, 1);
});

void test('an update leaves out-of-line values that did not change as they are', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  await pair.provider.query(
    `insert into visit select n, 'x', $1 || n from generate_series(1, 3) n`,
    [big],
  );
  await pair.drain(applier);
  await pair.provider.query(`update visit set note = 'y'`);
  await pair.provider.query(`update visit set body = 'small' where id = 2`);
  await pair.provider.query(`update visit set id = 33 where id = 3`);
  await pair.drain(applier);
  await pair.assertEqual('visit');
  assert.equal(applier.progress().replays, 0);
});

void test('a lock that is not given is waited for, then reported as passing', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier({ lockTimeoutMs: 50 });
  await pair.provider.query(`insert into visit values (1, 'x')`);
  const part = await pair.part();
  const holder = new pg.Client({ connectionString: pair.subscriber.url() });
  await holder.connect();
  try {
    await holder.query(`begin; lock table visit`);
    await assert.rejects(applier.apply(part), failsWith('local_busy', { sqlstate: '55P03' }));
    await holder.query(`commit`);
    await applier.apply(part);
    await pair.assertEqual('visit');
  } finally {
    await holder.end();
  }
});

void test('a lost connection is the database unreachable, and nothing of the part is here', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1, 'x')`);
  const part = await pair.part();
  await pair.subscriber.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'tributary test apply' and datname = current_database()`,
  );
  await assert.rejects(applier.apply(part), failsWith('database_unreachable'));
  await assert.rejects(applier.apply(part), failsWith('database_unreachable'));
  await using again = await pair.applier();
  await again.apply(part);
  await pair.assertEqual('visit');
});

void test('privileges that were taken away are named as a matter of prepare', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  await pair.subscriber.query(`revoke all on visit from tributary_writer`);
  await pair.provider.query(`insert into visit values (1, 'x')`);
  await assert.rejects(
    applier.apply(await pair.part()),
    failsWith('not_prepared', { sqlstate: '42501' }),
  );
});

void test('what is noted of a parked key holds no value but the key', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1, 'secret-secret-secret')`);
  await pair.drain(applier);
  const { rows } = await pair.subscriber.query(`select p::text as line from tributary.parked p`);
  assert.equal(rows.length, 1);
  assert.doesNotMatch(JSON.stringify(rows), /secret/);
});

void test('a deadlock is passed over by trying the whole part again', async () => {
  await using pair = await StreamPair.create(options);
  await using applier = await pair.applier();
  await pair.provider.query(`insert into visit values (1, 'x'), (2, 'x')`);
  await pair.drain(applier);
  await pair.provider.query(`update visit set note = 'one' where id = 1`);
  await pair.provider.query(`update visit set id = 3 where id = 2`);
  const part = await pair.part();
  const other = new pg.Client({ connectionString: pair.subscriber.url() });
  await other.connect();
  try {
    await other.query(
      `set deadlock_timeout = '60s'; begin; update visit set note = 'z' where id = 2`,
    );
    const applied = applier.apply(part);
    await until(
      async () => {
        const { rows } = await pair.subscriber.query(
          `select from pg_stat_activity where application_name = 'tributary test apply' and datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length > 0;
      },
      { what: 'apply waits for the lock' },
    );
    await other.query(`update visit set note = 'z' where id = 1`);
    await other.query(`rollback`);
    await applied;
    await pair.assertEqual('visit');
  } finally {
    await other.end();
  }
});
