import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster } from '../cluster.ts';
import { NodeDatabase } from '../node-database.ts';
import { streamStatus, untilDoubt, untilStreaming, type StreamName } from '../stream-watch.ts';
import { Tree } from '../tree.ts';

const branch = { north: null, district_a: 'north', district_b: 'north' } as const;
const fromA = { subscriber: 'north', provider: 'district_a' };
const fromB = { subscriber: 'north', provider: 'district_b' };
const fromC = { subscriber: 'north', provider: 'district_c' };

async function enter(database: NodeDatabase, rows: number): Promise<void> {
  await database.query(
    `insert into public.case_report (id, status, note)
     select gen_random_uuid(), 'approved', 'row ' || i from generate_series(1, $1::int) i`,
    [rows],
  );
}

/** The rows of an origin at north, as texts. */
async function rowsAtNorth(tree: Tree, origin: string): Promise<readonly string[]> {
  const rows = await tree
    .node('north')
    .database.query<{ row: string }>(
      `select r::text as row from public.case_report r where tributary_origin = $1 order by id`,
      [origin],
    );
  return rows.map(({ row }) => row);
}

/** Every one of them stands there as it was. */
async function assertKept(tree: Tree, origin: string, before: readonly string[]): Promise<void> {
  const now = new Set(await rowsAtNorth(tree, origin));
  assert.deepEqual(
    before.filter((row) => !now.has(row)),
    [],
    `rows of ${origin} at north`,
  );
}

/** Waits until the stream goes on although it was doubted; every doubt it met. */
async function untilMet(tree: Tree, stream: StreamName, doubt: string): Promise<string[]> {
  return await tree.until(
    async () => {
      const { state, doubtsMet } = await streamStatus(tree, stream);
      const names = doubtsMet.map(({ name }) => name);
      return state === 'streaming' && names.includes(doubt) ? names.sort() : null;
    },
    { what: `${stream.subscriber} met ${doubt}`, ms: 240_000, everyMs: 100 },
  );
}

/** Back at the original, whose version of everything is taken. */
async function release(tree: Tree): Promise<void> {
  await tree.until(
    async () => (await streamStatus(tree, fromA)).copies.every(({ state }) => state === 'done'),
    { what: 'every table is compared', ms: 240_000, everyMs: 100 },
  );
  const done = await tree.command('north', ['rewound', 'release', '--stream', 'district_a']);
  assert.equal(done.code, 0, done.stdout + done.stderr);
}

/** Waits until north has applied a heartbeat which that node writes after now. */
async function heartbeatFrom(tree: Tree, node: string): Promise<void> {
  const [now] = await tree.node(node).database.query<{ now: string }>(`select now()::text as now`);
  await tree.until(
    async () =>
      (
        await tree
          .node('north')
          .database.query(`select from tributary.heartbeat where node = $1 and at > $2`, [
            node,
            now?.now,
          ])
      ).length === 1,
    { what: `a new heartbeat of ${node}` },
  );
}

/** Waits until north has applied the last heartbeat of a node that is stopped. */
async function heartbeatArrived(tree: Tree, node: string): Promise<void> {
  const nonce = async (at: string): Promise<string | undefined> => {
    const [row] = await tree
      .node(at)
      .database.query<{ nonce: string }>(
        `select nonce::text from tributary.heartbeat where node = $1`,
        [node],
      );
    return row?.nonce;
  };
  await tree.until(async () => (await nonce(node)) === (await nonce('north')), {
    what: `the last heartbeat of ${node}`,
  });
}

/** Stops the server of a node, copies its directory, starts it again. The copy is not started. */
async function snapshot(tree: Tree, node: string): Promise<Cluster> {
  const { cluster } = tree.node(node).database;
  await cluster.stop();
  const copy = await Cluster.copyOf(cluster);
  await cluster.start();
  return copy;
}

async function siblingFlows(tree: Tree, sibling: string): Promise<void> {
  const code = `flows-${performance.now()}`;
  await tree
    .node(sibling)
    .database.query(`insert into public.facility (code, name) values ($1, 'x')`, [code]);
  await tree.until(
    async () =>
      (
        await tree
          .node('north')
          .database.query(`select from public.facility where code = $1`, [code])
      ).length === 1,
    { what: `a row of ${sibling} arrives` },
  );
}

void test('a clone that wrote on is recognised by its missing witness, takes nothing away, and the original goes on', async () => {
  await using tree = await Tree.create({ parents: branch });
  const original = tree.node('district_a').database;
  await enter(original, 20);
  await tree.waitLevel(180_000);
  await using copy = await snapshot(tree, 'district_a');
  await enter(original, 5);
  await tree.waitLevel(180_000);
  await heartbeatFrom(tree, 'district_a');

  // The restored machine comes up, its node too, and its application works on past the position stored at north.
  await tree.stop('district_a');
  await copy.start();
  const clone = NodeDatabase.over(copy);
  tree.node('district_a').local.redirect(copy.port);
  tree.start('district_a');
  await clone.query(`delete from public.case_report`);
  await enter(clone, 30);
  const [stored] = await tree
    .node('north')
    .database.query<{ position: string }>(
      `select position::text from tributary.stream where provider = 'district_a'`,
    );
  await tree.until(
    async () => {
      await clone.query(`select pg_switch_wal()`);
      const [past] = await clone.query<{ past: boolean }>(
        `select pg_current_wal_insert_lsn() > $1::pg_lsn and count(*) > 0 as past
         from tributary.heartbeat_log where lsn > $1::pg_lsn`,
        [stored?.position],
      );
      return past?.past;
    },
    { what: 'the clone wrote past the position, heartbeats included', everyMs: 200, ms: 120_000 },
  );

  const before = await rowsAtNorth(tree, 'district_a');
  assert.equal(before.length, 25);
  tree.node('district_a').link?.redirect(copy.port);
  const doubts = await untilMet(tree, fromA, 'witness_missing');
  assert.deepEqual(doubts, ['log_differs', 'witness_missing']);
  await siblingFlows(tree, 'district_b');
  await tree.until(async () => (await rowsAtNorth(tree, 'district_a')).length === 55, {
    what: 'what the clone has besides is added',
    ms: 90_000,
  });
  await assertKept(tree, 'district_a', before);
  const status = await tree.command('north', ['status']);
  assert.equal(status.code, 1);
  assert.match(status.stdout, /25 parked \(rewound\)/);

  await tree.stop('district_a');
  tree.node('district_a').local.redirect(null);
  tree.node('district_a').link?.redirect(null);
  tree.start('district_a');
  await enter(original, 1);
  tree.process('north').signal('SIGHUP');
  await tree.until(
    async () =>
      (await streamStatus(tree, fromA)).doubtsMet.reduce((sum, { count }) => sum + count, 0) > 2,
    { what: 'the original is doubted in its turn', ms: 180_000 },
  );
  await untilStreaming(tree, fromA);
  await release(tree);
  await tree.waitLevel(180_000);
  await clone[Symbol.asyncDispose]();
});

void test('a clone taken after the last heartbeat is recognised by where its commits end', async () => {
  await using tree = await Tree.create({ parents: branch });
  const original = tree.node('district_a').database;
  await enter(original, 20);
  await tree.waitLevel(180_000);
  await tree.stop('district_a');
  await heartbeatArrived(tree, 'district_a');
  await using copy = await snapshot(tree, 'district_a');
  await enter(original, 5);
  await tree.waitLevel(180_000);
  const before = await rowsAtNorth(tree, 'district_a');
  await copy.start();
  const clone = NodeDatabase.over(copy);
  for (let row = 0; row < 40; row += 1) {
    await enter(clone, 1);
  }
  tree.link('district_a').redirect(copy.port);
  assert.deepEqual(await untilMet(tree, fromA, 'log_differs'), ['log_differs']);
  await tree.until(async () => (await rowsAtNorth(tree, 'district_a')).length === 65, {
    what: 'what the clone has besides is added',
    ms: 90_000,
  });
  await assertKept(tree, 'district_a', before);
  await clone[Symbol.asyncDispose]();
});

void test('each doubt is named, and takes no row away', async () => {
  await using tree = await Tree.create({ parents: { ...branch, district_c: 'north' } });
  const [a, b, c] = ['district_a', 'district_b', 'district_c'].map((name) => tree.node(name));
  assert.ok(a?.link && b?.link && c?.link);
  for (const { database } of [a, b, c]) {
    await enter(database, 10);
  }
  await tree.waitLevel(180_000);
  const origins = [a, b, c].map(({ name }) => name);
  const rows = async (): Promise<(readonly string[])[]> =>
    await Promise.all(origins.map(async (origin) => await rowsAtNorth(tree, origin)));
  const untouched = async (expected: readonly (readonly string[])[]): Promise<void> => {
    assert.deepEqual(await rows(), expected);
  };
  const first = await rows();

  // The address of one district has come to mean its neighbour's server.
  a.link.redirect(b.database.cluster.port);
  await untilDoubt(tree, fromA, 'node_name_differs');
  await untouched(first);
  a.link.redirect(null);
  tree.process('north').signal('SIGHUP');
  await untilStreaming(tree, fromA);

  await b.database.query(`drop publication tributary_up`);
  b.link.cut();
  await untilDoubt(tree, fromB, 'publication_missing');
  await untouched(first);

  // An older directory of the same server: its log ends before what is applied here.
  await using older = await snapshot(tree, 'district_c');
  await enter(c.database, 200);
  await untilStreaming(tree, fromC);
  await heartbeatFrom(tree, 'district_c');
  const second = await rows();
  assert.equal(second[2]?.length, 210);
  await older.start();
  c.link.redirect(older.port);
  await untilMet(tree, fromC, 'log_behind');
  await assertKept(tree, 'district_c', second[2] ?? []);
  const status = await tree.command('north', ['status']);
  assert.equal(status.code, 2);
  assert.match(status.stdout, /doubt: publication_missing/);
  assert.match(status.stdout, /200 parked \(rewound\)/);
});

void test('what was applied and not yet confirmed raises no doubt where positions grow by a digit', async () => {
  await using tree = await Tree.create({ parents: branch });
  const leaf = tree.node('district_a').database;
  await enter(leaf, 1);
  await tree.waitLevel(180_000);
  await Promise.all([tree.stop('north'), tree.stop('district_a')]);
  const beyond = async (position: string): Promise<boolean> => {
    await leaf.query(`insert into public.unrelated (filler) values ('x')`);
    await leaf.query(`select pg_switch_wal()`);
    const sql = `select pg_current_wal_insert_lsn() >= $1::pg_lsn as beyond`;
    const [row] = await leaf.query<{ beyond: boolean }>(sql, [position]);
    return row?.beyond ?? false;
  };
  while (!(await beyond('0/F000000'))) {
    // Another segment of 16 MB.
  }
  await enter(leaf, 1);
  while (!(await beyond('0/10000000'))) {
    // 0/FF stands before 0/10, but not as text.
  }
  await enter(leaf, 1);
  const [last] = await leaf.query<{ position: string }>(
    `select max(lsn)::text as position from pg_logical_slot_peek_binary_changes(
       'tributary_north', null, null, 'proto_version', '1', 'publication_names', 'tributary_up')`,
  );
  await tree
    .node('north')
    .database.query(
      `update tributary.stream set position = $1, last_commit = $1 where provider = 'district_a'`,
      [last?.position],
    );
  tree.start('north');
  await untilStreaming(tree, fromA);
});
