import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { Random } from '../random.ts';
import { assertUnbroken, movesOf, watchMoves } from '../stream-watch.ts';
import { Tree } from '../tree.ts';
import { Workload } from '../workload.ts';

const pair = { north: null, district_a: 'north' } as const;
const fromA = { subscriber: 'north', provider: 'district_a' };

async function hasFacility(tree: Tree, code: string): Promise<boolean> {
  const rows = await tree
    .node('north')
    .database.query(`select from public.facility where code = $1`, [code]);
  return rows.length === 1;
}

async function openEntry(tree: Tree, code: string): Promise<pg.Client> {
  const client = await tree.node('district_a').database.client();
  await client.query(`begin`);
  await client.query(`insert into public.facility (code, name) values ($1, 'x')`, [code]);
  return client;
}

/** The slot stands exactly where the position does, and the provider's log ends there: the next commit touches it. */
async function touches(tree: Tree): Promise<boolean> {
  const [stored] = await tree
    .node('north')
    .database.query<{ position: string }>(`select position::text from tributary.stream`);
  const [row] = await tree.node('district_a').database.query<{ touches: boolean }>(
    `select confirmed_flush_lsn = $1::pg_lsn and pg_current_wal_insert_lsn() = $1::pg_lsn as touches
     from pg_replication_slots where slot_name = 'tributary_north'`,
    [stored?.position],
  );
  return row?.touches ?? false;
}

void test('a commit record that begins where the confirmed one ends is not skipped by a restart', async () => {
  await using tree = await Tree.create({ parents: pair });
  // Its heartbeats would write between the two records.
  await tree.stop('district_a');
  let seen = 0;
  for (let round = 0; seen < 2 && round < 8; round += 1) {
    const [one, two] = [`one-${round}`, `two-${round}`];
    const second = await openEntry(tree, two);
    const first = await openEntry(tree, one);
    await first.query('commit');
    await tree.until(async () => await hasFacility(tree, one), { what: `${one} arrives` });
    const touching = await tree
      .until(async () => await touches(tree), { what: 'confirmed', ms: 1500 })
      .catch(() => false);
    await tree.kill9('north');
    await second.query('commit');
    seen += touching ? 1 : 0;
    tree.start('north');
    await tree.until(async () => await hasFacility(tree, two), { what: `${two} arrives` });
    await first.end();
    await second.end();
  }
  assert.ok(seen > 0, 'no two commit records touched');
  await tree.waitLevel();
});

void test('killed between its own commit and the confirmation, a node applies nothing twice', async () => {
  await using tree = await Tree.create({ parents: pair });
  await watchMoves(tree, 'north');
  const lock = await tree.node('north').database.client();
  for (let round = 0; round < 2; round += 1) {
    await lock.query('begin; lock table public.facility in share mode');
    await tree
      .node('district_a')
      .database.query(`insert into public.facility (code, name) values ($1, 'x')`, [`f-${round}`]);
    await tree.until(
      async () =>
        (
          await tree
            .node('north')
            .database.query(
              `select from pg_stat_activity where application_name like 'tributary north apply%' and wait_event_type = 'Lock'`,
            )
        ).length === 1,
      { what: 'the row waits for the lock' },
    );
    // What is committed from here on can not be confirmed.
    tree.link('district_a').silence();
    await lock.query('rollback');
    await tree.until(async () => await hasFacility(tree, `f-${round}`), {
      what: 'it is committed',
    });
    await tree.kill9('north');
    tree.link('district_a').heal();
    tree.start('north');
    await tree.streaming('north');
  }
  await lock.end();
  await tree.waitLevel();
  await assertUnbroken(tree, fromA);
});

void test('killed again and again under load, a node skips nothing and applies nothing twice', async (t) => {
  const seed = Random.seedOfRun();
  t.diagnostic(`seed ${seed}`);
  await using tree = await Tree.create({ parents: pair });
  await watchMoves(tree, 'north');
  const stop = new AbortController();
  const workload = new Workload({ seed, leaves: tree.leaves, clerksPerLeaf: 3, pauseMs: 10 });
  const load = workload.run(stop.signal);
  const random = new Random(seed).fork('kills');
  for (let round = 0; round < 4; round += 1) {
    const moved = (await movesOf(tree, fromA)).length;
    const some = 1 + random.below(5);
    await tree.until(async () => (await movesOf(tree, fromA)).length > moved + some, {
      what: 'rows flow',
      everyMs: 2,
    });
    await tree.kill9('north');
    tree.start('north');
  }
  stop.abort();
  await load;
  await tree.waitLevel();
  t.diagnostic(`${await assertUnbroken(tree, fromA)} moves`);
});

void test('a stream outlives an apply that is blocked for longer than wal_sender_timeout', async () => {
  await using tree = await Tree.create({ parents: pair, settings: { wal_sender_timeout: '3s' } });
  const { database } = tree.node('district_a');
  const walsender = async (): Promise<number | null> => {
    const [row] = await database.query<{ pid: number | null }>(
      `select active_pid as pid from pg_replication_slots where slot_name = 'tributary_north'`,
    );
    return row?.pid ?? null;
  };
  const lock = await tree.node('north').database.client();
  await lock.query('begin; lock table public.facility in share mode');
  const before = await tree.until(walsender, { what: 'the stream runs' });
  await database.query(`insert into public.facility (code, name) values ('blocked', 'x')`);
  // Not a wait for something: the time itself is what is tested.
  for (let seconds = 0; seconds < 8; seconds += 1) {
    await pause(1000);
    assert.equal(await walsender(), before, `another walsender after ${seconds} s`);
  }
  assert.equal(await hasFacility(tree, 'blocked'), false);
  await lock.query('rollback');
  await lock.end();
  await tree.until(async () => await hasFacility(tree, 'blocked'), { what: 'the row arrives' });
  assert.equal(await walsender(), before);
});
