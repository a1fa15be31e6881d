/**
 * The way back after a lost slot costs the difference, not a full copy: the log is gone, rows were changed, deleted and added
 * meanwhile, spread at random over the keys, and people go on working. At length: `npm run suite -- way-back --rows 1000000`.
 */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';
import { Background } from '../background.ts';
import { roles } from '../database.ts';
import { application, enterRecords } from '../record-table.ts';
import { Tree } from '../tree.ts';

const rows = Number(process.env['TEST_ROWS'] ?? 30_000);
/** From so many rows on the heartbeats and the work of the people are small against the whole. */
const manyRows = 500_000;
const shares = [0, 0.001, 0.01, 0.1] as const;
/** Of the bytes of a full copy; where a thousandth of the rows is another. */
const mostForThousandth = 0.02;

void test(`${rows} rows, the slot dropped, and 0, 0.1, 1 and 10 % of them other: the difference travels`, async (t) => {
  await using tree = await Tree.create({
    parents: { nation: null, district_a: 'nation' },
    application,
    start: false,
    settings: { max_wal_size: '4GB' },
  });
  await enterRecords(tree, 1, rows);
  await tree.prepare();
  const full = await measured(tree, async () => await tree.startAll());
  t.diagnostic(`full copy: ${said(full)}`);
  for (const [n, share] of shares.entries()) {
    await tree.stop('nation');
    await loseSlot(tree);
    await change(tree, share, rows * (n + 2));
    const back = await measured(tree, async () => {
      tree.start('nation');
      await tree.streaming();
    });
    t.diagnostic(
      `${share * 100} %: ${said(back)}, ${((100 * back.bytes) / full.bytes).toFixed(2)} % of the bytes of a full copy`,
    );
    if (rows >= manyRows) {
      assert.ok(share > 0.001 || back.bytes < full.bytes * mostForThousandth, `${share}`);
    }
    assert.ok(back.bytes < full.bytes * 0.75, `${share}: less than a copy`);
  }
});

interface Cost {
  readonly bytes: number;
  readonly seconds: number;
}

/** From the start until the district is complete, while people work. */
async function measured(tree: Tree, begin: () => Promise<void>): Promise<Cost> {
  const before = tree.link('district_a').bytes.fromServer;
  const started = performance.now();
  {
    await using people = new Background(async (signal) => {
      await work(tree, signal);
    });
    await begin();
    await tree.until(async () => await complete(tree), {
      what: 'the district is complete',
      ms: 120_000 + rows,
      everyMs: 200,
    });
    await people.stop();
  }
  const seconds = (performance.now() - started) / 1000;
  const bytes = tree.link('district_a').bytes.fromServer - before;
  await tree.waitLevel(120_000);
  return { bytes, seconds };
}

/** The log is given up while nobody reads it. */
async function loseSlot(tree: Tree): Promise<void> {
  const { database } = tree.node('district_a');
  await tree.until(
    async () =>
      (await database.query(`select from pg_replication_slots where not active`)).length === 1,
    { what: 'the slot is not in use' },
  );
  await database.query(`select pg_drop_replication_slot(slot_name) from pg_replication_slots`);
}

/** A third of the share each is changed, deleted and added. */
async function change(tree: Tree, share: number, from: number): Promise<void> {
  const { database } = tree.node('district_a');
  await database.query(
    `update public.record set body = md5(body) || body where random() < ${share / 3}`,
  );
  await database.query(`delete from public.record where random() < ${share / 3}`);
  const added = Math.round((rows * share) / 3);
  if (added > 0) {
    await enterRecords(tree, from, added);
  }
}

async function work(tree: Tree, signal: AbortSignal): Promise<void> {
  const client = await tree.node('district_a').database.client(roles.owner);
  while (!signal.aborted) {
    const number = 1 + Math.floor(Math.random() * rows);
    await client.query(
      `update public.record set entered_by = 'meanwhile', status = 'approved' where number = ${number}`,
    );
    await pause(50, undefined, { signal }).catch(() => {});
  }
  await client.end();
}

async function complete(tree: Tree): Promise<boolean> {
  await allow(tree);
  const [row] = await tree
    .node('nation')
    .database.query<{ complete: boolean }>(
      `select complete from tributary.freshness where origin = 'district_a'`,
    );
  return row?.complete ?? false;
}

/** As `tributary reconcile --yes`: what is held goes on. */
async function allow(tree: Tree): Promise<void> {
  const held = await tree
    .node('nation')
    .database.query(`select from tributary.reconcile where state = 'held'`);
  if (held.length > 0) {
    const ms = 120_000 + rows;
    const words = ['reconcile', '--yes', '--timeout', String(ms / 1000)];
    const { code, stderr } = await tree.command('nation', words, ms);
    assert.equal(code, 0, stderr);
  }
}

function said({ bytes, seconds }: Cost): string {
  return `${(bytes / 1e6).toFixed(2)} MB in ${seconds.toFixed(0)} s`;
}
