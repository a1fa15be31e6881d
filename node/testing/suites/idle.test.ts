/** Traffic that does not leave a node must not hold its log: the confirmed position follows all the same. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';
import { Background } from '../background.ts';
import { roles } from '../database.ts';
import type { NodeDatabase } from '../node-database.ts';
import { chain, Tree } from '../tree.ts';

const seconds = Number(process.env['TEST_SECONDS'] ?? 20);
const megabyte = 1024 * 1024;

interface Standing {
  /** Bytes of log the provider has written and the subscriber has not confirmed. */
  readonly unconfirmed: number;
  /** Bytes of log the slot holds back. */
  readonly retained: number;
}

void test(`${seconds} s of drafts and unrelated rows: the log is let go, and a restart finds no doubt`, async (t) => {
  await using tree = await Tree.create({ parents: chain });
  const leaf = tree.node('district_a').database;
  const from = await written(leaf);
  const standings: Standing[] = [];
  {
    await using traffic = new Background(async (signal) => {
      await unapproved(leaf, signal);
    });
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      await pause(500);
      standings.push(await standing(leaf));
    }
    await traffic.stop();
  }
  const traffic = ((await written(leaf)) - from) / megabyte;
  const most = (of: keyof Standing, part: readonly Standing[]): number =>
    Math.max(...part.map((each) => each[of])) / megabyte;
  t.diagnostic(
    `${traffic.toFixed(0)} MB of log; unconfirmed at most ${most('unconfirmed', standings).toFixed(1)} MB, retained at most ${most('retained', standings).toFixed(1)} MB`,
  );
  await tree.until(async () => (await standing(leaf)).unconfirmed < megabyte, {
    what: 'the confirmed position reaches the end of the log',
    ms: 40_000,
  });
  assert.ok(most('unconfirmed', standings) < 64, 'the confirmed position follows');
  const half = Math.floor(standings.length / 2);
  const [early, late] = [standings.slice(0, half), standings.slice(half)];
  assert.ok(
    most('retained', late) < 2 * most('retained', early) + 128,
    'retained log does not grow',
  );
  await restartsWithoutDoubt(tree);
});

async function restartsWithoutDoubt(tree: Tree): Promise<void> {
  await tree.stop('north');
  assert.equal(tree.process('north').exitCode, 0);
  await tree
    .node('district_a')
    .database.query(`insert into public.unrelated (filler) values ('x')`);
  tree.start('north');
  await tree.streaming();
  const { streams } = await tree.status<{
    streams: readonly { state: string; doubts: readonly unknown[]; complete: boolean | null }[];
  }>('north');
  assert.deepEqual(
    streams.map(({ doubts, complete }) => ({ doubts, complete })),
    [{ doubts: [], complete: true }],
  );
  await tree
    .node('district_a')
    .database.query(
      `insert into public.case_report (id, status) values (gen_random_uuid(), 'approved')`,
    );
  await tree.waitLevel();
}

/** Drafts that come, change and go, and a table outside the replication set; a few megabytes of log per second. */
async function unapproved(leaf: NodeDatabase, signal: AbortSignal): Promise<void> {
  const client = await leaf.client(roles.owner);
  while (!signal.aborted) {
    await client.query(
      `insert into public.case_report (id, note)
       select gen_random_uuid(), repeat('d', 300) from generate_series(1, 300)`,
    );
    await client.query(
      `update public.case_report set note = repeat('e', 300) where status = 'draft'`,
    );
    await client.query(`delete from public.case_report where status = 'draft'`);
    await client.query(
      `insert into public.unrelated (filler) select repeat('u', 500) from generate_series(1, 300)`,
    );
    await pause(50, undefined, { signal }).catch(() => {});
  }
  await client.end();
}

async function standing(leaf: NodeDatabase): Promise<Standing> {
  const [row] = await leaf.query<{ unconfirmed: string; retained: string }>(
    `select
       pg_current_wal_lsn() - confirmed_flush_lsn as unconfirmed,
       pg_current_wal_lsn() - restart_lsn as retained
     from pg_replication_slots where slot_name = 'tributary_north'`,
  );
  return { unconfirmed: Number(row?.unconfirmed), retained: Number(row?.retained) };
}

async function written(leaf: NodeDatabase): Promise<number> {
  const [row] = await leaf.query<{ at: string }>(`select pg_current_wal_lsn() - '0/0' as at`);
  return Number(row?.at);
}
