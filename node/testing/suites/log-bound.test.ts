import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { NodeDatabase } from '../node-database.ts';
import { untilMended } from '../stream-watch.ts';
import { Tree } from '../tree.ts';

const megabyte = 1 << 20;
const branch = { north: null, district_a: 'north', district_b: 'north' } as const;
const fromA = { subscriber: 'north', provider: 'district_a' };

/** Small bounds, so that little has to be written: what pg_wal may hold is the sum of both and some segments. */
const settings = {
  max_slot_wal_keep_size: '64MB',
  max_wal_size: '64MB',
  min_wal_size: '32MB',
  checkpoint_timeout: '1h',
};
const walLimit = 300 * megabyte;
/** Written while the parent is offline; the long form is 2 GB. */
const outageMegabytes = Number(process.env['TEST_MEGABYTES'] ?? 400);

/** Approved rows with values out of line, in transactions of 4 MB. */
async function write(database: NodeDatabase, megabytes: number): Promise<void> {
  for (let at = 0; at < megabytes; at += 4) {
    await database.query(
      `insert into public.case_report (id, status, narrative)
       select gen_random_uuid(), 'approved', repeat(md5(random()::text), 32768)
       from generate_series(1, 4)`,
    );
  }
}

/** @throws when the checkpointer does not come to its end. */
async function checkpoint(database: NodeDatabase): Promise<void> {
  const client = await database.client();
  try {
    await client.query(`set statement_timeout = '45s'`);
    await client.query('checkpoint');
  } finally {
    await client.end();
  }
}

async function walBytes(database: NodeDatabase): Promise<number> {
  const [row] = await database.query<{ bytes: number }>(
    `select sum(size)::float8 as bytes from pg_ls_waldir()`,
  );
  return row?.bytes ?? Infinity;
}

/** Writes far past the bound while the subscriber takes nothing; what the disk and the checkpointer make of it. */
async function pastTheBound(database: NodeDatabase, t: TestContext): Promise<void> {
  await write(database, 250);
  const started = performance.now();
  await checkpoint(database);
  const seconds = (performance.now() - started) / 1000;
  await write(database, 200);
  await checkpoint(database);
  const bytes = await walBytes(database);
  t.diagnostic(`checkpoint ${seconds.toFixed(1)} s, pg_wal ${Math.round(bytes / megabyte)} MB`);
  assert.ok(seconds < 30, `the checkpoint took ${seconds} s`);
  assert.ok(bytes < walLimit, `pg_wal holds ${bytes} bytes`);
}

async function arrives(tree: Tree, code: string): Promise<void> {
  await tree
    .node('district_b')
    .database.query(`insert into public.facility (code, name) values ($1, 'x')`, [code]);
  await tree.until(
    async () =>
      (
        await tree
          .node('north')
          .database.query(`select from public.facility where code = $1`, [code])
      ).length === 1,
    { what: `${code} of the sibling arrives` },
  );
}

async function rowsOfA(tree: Tree): Promise<number> {
  const [row] = await tree
    .node('north')
    .database.query<{ rows: number }>(
      `select count(*)::int as rows from public.case_report where tributary_origin = 'district_a'`,
    );
  return row?.rows ?? -1;
}

async function ready(t: TestContext): Promise<{ tree: Tree; before: number }> {
  const tree = await Tree.create({ parents: branch, settings });
  t.after(async () => await tree[Symbol.asyncDispose]());
  await write(tree.node('district_a').database, 4);
  await tree.waitLevel();
  return { tree, before: await rowsOfA(tree) };
}

/** The stream is mended by itself, and nothing was lost. */
async function afterwards(tree: Tree, before: number, t: TestContext): Promise<void> {
  const started = performance.now();
  const bytes = tree.link('district_a').bytes.fromServer;
  await untilMended(tree, fromA, 'slot_lost', 600_000);
  await tree.waitLevel(120_000);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const sent = Math.round((tree.link('district_a').bytes.fromServer - bytes) / megabyte);
  t.diagnostic(`the way back: ${seconds} s, ${sent} MB`);
  assert.ok((await rowsOfA(tree)) >= before);
  await arrives(tree, 'afterwards');
}

void test("a locked subscriber does not hold up its provider's checkpointer nor fill its disk", async (t) => {
  const { tree, before } = await ready(t);
  // Only the reader's own rule may help here: no node beside the provider.
  await tree.stop('district_a');
  const session = await tree.node('north').database.client();
  await session.query('begin; lock table public.case_report in access exclusive mode');
  await pastTheBound(tree.node('district_a').database, t);
  await arrives(tree, 'meanwhile');
  await session.query('rollback');
  await session.end();
  await afterwards(tree, before, t);
});

void test('the node beside a provider ends the walsender of a subscriber that stands still', async (t) => {
  const { tree, before } = await ready(t);
  const north = tree.process('north');
  north.signal('SIGSTOP');
  await pastTheBound(tree.node('district_a').database, t);
  const beside = await tree.command('district_a', ['status']);
  assert.equal(beside.code, 2);
  assert.match(beside.stdout, /slot tributary_north is lost/);
  north.signal('SIGCONT');
  await afterwards(tree, before, t);
});

void test('an outage longer than the log: the disk stays free, and the way back costs the difference', async (t) => {
  const { tree, before } = await ready(t);
  const { database } = tree.node('district_a');
  tree.link('district_a').refuse();
  let most = 0;
  for (let written = 0; written < outageMegabytes; written += 40) {
    await write(database, 40);
    // The same rows again and again: much log, little difference.
    await database.query(
      `delete from public.case_report where id in (select id from public.case_report order by at desc limit 36)`,
    );
    await checkpoint(database);
    most = Math.max(most, await walBytes(database));
  }
  t.diagnostic(`${outageMegabytes} MB written, pg_wal at most ${Math.round(most / megabyte)} MB`);
  assert.ok(most < walLimit, `pg_wal held ${most} bytes`);
  assert.equal(await rowsOfA(tree), before);
  tree.link('district_a').heal();
  await afterwards(tree, before, t);
});
