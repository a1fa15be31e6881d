import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TributaryError } from '../errors.ts';
import { parseLsn } from '../pgoutput/lsn.ts';
import { TestDatabase } from '../testing/database.ts';
import { OwnDatabase } from '../testing/own-database.ts';
import { until } from '../testing/until.ts';
import { readFreshness } from './freshness.ts';
import { purgeHeartbeats, writeHeartbeat } from './heartbeats.ts';
import { replaceRoutes } from './routes.ts';
import { beginStream, loadStreams, takeOver, witnessOf } from './streams.ts';

const start = {
  slot: 'tributary_north',
  position: parseLsn('0/1A2B3C4D'),
  systemIdentifier: '7000000000000000001',
  timeline: 1,
  publicationOid: 4_000_000_000,
  publicationNonce: '00000000-0000-4000-8000-000000000001',
};

class Node extends OwnDatabase {
  static async create(): Promise<Node> {
    const test = await TestDatabase.create();
    const node = new Node(test);
    await node.make('north');
    return node;
  }

  async beat(): Promise<void> {
    await writeHeartbeat(this.database, {
      node: 'north',
      version: '1',
      topology: 'x',
      state: {},
      diskFree: 7,
    });
  }
}

void test('a stream begins once; who comes second is fenced and changes nothing', async () => {
  await using node = await Node.create();
  const row = await beginStream(node.database, 'district_a', { ...start, incomplete: null });
  assert.equal(row.epoch, 1n);
  assert.equal(row.position, start.position);
  assert.equal(row.publicationOid, start.publicationOid);
  await assert.rejects(
    beginStream(node.database, 'district_a', { ...start, slot: 'other', incomplete: 'first_copy' }),
    (error) => error instanceof TributaryError && error.code === 'fenced',
  );
  assert.deepEqual(await loadStreams(node.database), [row]);
});

void test('each take-over raises the epoch and leaves the position', async () => {
  await using node = await Node.create();
  assert.equal(await takeOver(node.database, 'district_a'), null);
  await beginStream(node.database, 'district_a', { ...start, incomplete: null });
  const epochs = await Promise.all(
    [1, 2, 3, 4].map(async () => (await takeOver(node.database, 'district_a'))?.epoch),
  );
  assert.deepEqual(new Set(epochs), new Set([2n, 3n, 4n, 5n]));
  assert.equal((await loadStreams(node.database))[0]?.position, start.position);
});

void test('the witness is the last heartbeat of the provider applied here', async () => {
  await using node = await Node.create();
  const known = { provider: 'north', unwitnessed: null };
  assert.equal(await witnessOf(node.database, known), null);
  await node.beat();
  const witness = await witnessOf(node.database, known);
  const { rows } = await node.pool.query(`select nonce, lsn from tributary.heartbeat_log`);
  assert.deepEqual(rows, [{ nonce: witness?.nonce, lsn: rows[0]?.lsn }]);
  assert.equal(witness?.lsn, parseLsn(rows[0]?.lsn));
  const before = { ...known, unwitnessed: witness?.nonce ?? null };
  assert.equal(await witnessOf(node.database, before), null, 'from before it went back in time');
});

void test('what is incomplete is in the own heartbeat from the commit on that began the stream', async () => {
  await using node = await Node.create();
  await replaceRoutes(
    node.database,
    new Map([
      ['district_a', 'district_a'],
      ['district_b', 'district_b'],
    ]),
  );
  await node.beat();
  await beginStream(node.database, 'district_a', { ...start, incomplete: 'first_copy' });
  const { rows } = await node.pool.query(`select origins from tributary.heartbeat`);
  assert.deepEqual(rows[0]?.origins, {
    district_a: { via: 'district_a', complete: false, reason: 'first_copy' },
    district_b: { via: 'district_b', complete: false, reason: 'no_stream' },
  });
});

void test('two changes of state at once: the later commit says what both have made true', async () => {
  await using node = await Node.create();
  const routes = ['district_a', 'district_b'].map((name) => [name, name] as const);
  await replaceRoutes(node.database, new Map(routes));
  await node.beat();
  await beginStream(node.database, 'district_a', { ...start, incomplete: null });
  const first = await node.pool.connect();
  try {
    await first.query(`
      begin;
      update tributary.stream set incomplete = 'publication_changed';
      select tributary.refresh_origins()`);
    const second = beginStream(node.database, 'district_b', { ...start, incomplete: null });
    await until(
      async () => {
        const { rows } = await node.pool.query(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length > 0;
      },
      { what: 'the second waits for the first' },
    );
    await first.query('commit');
    await second;
  } finally {
    first.release();
  }
  const { rows } = await node.pool.query(`select origins from tributary.heartbeat`);
  assert.deepEqual(rows[0]?.origins, {
    district_a: { via: 'district_a', complete: false, reason: 'publication_changed' },
    district_b: { via: 'district_b', complete: true, reason: null },
  });
});

void test('routes become those of the file, and freshness knows exactly these origins', async () => {
  await using node = await Node.create();
  await replaceRoutes(
    node.database,
    new Map([
      ['a', 'a'],
      ['b', 'b'],
    ]),
  );
  await replaceRoutes(
    node.database,
    new Map([
      ['b', 'c'],
      ['c', 'c'],
    ]),
  );
  const freshness = await readFreshness(node.database);
  assert.deepEqual(
    freshness.map(({ origin, via, ageSeconds, complete }) => ({
      origin,
      via,
      ageSeconds,
      complete,
    })),
    [
      { origin: 'b', via: 'c', ageSeconds: null, complete: false },
      { origin: 'c', via: 'c', ageSeconds: null, complete: false },
    ],
  );
  await replaceRoutes(node.database, new Map());
  assert.deepEqual(await readFreshness(node.database), []);
});

void test('the age of an origin grows while nothing new of it comes', async () => {
  await using node = await Node.create();
  await replaceRoutes(node.database, new Map([['a', 'a']]));
  await node.pool.query(
    `insert into tributary.heartbeat (node, at, lsn, nonce, version, topology)
     values ('a', now() - interval '90 s', '0/1', gen_random_uuid(), '1', 'x')`,
  );
  const [first] = await readFreshness(node.database);
  const [second] = await readFreshness(node.database);
  assert.ok(first?.ageSeconds && first.ageSeconds >= 90 && first.ageSeconds < 120);
  assert.ok(second?.ageSeconds && second.ageSeconds > first.ageSeconds);
});

void test('a purge leaves every nonce a slot may still ask for', async () => {
  await using node = await Node.create();
  await node.pool.query(
    `insert into tributary.heartbeat_log (nonce, lsn, at)
     select gen_random_uuid(), '0/0'::pg_lsn + n, now() - interval '2 days' from generate_series(1, 300) n`,
  );
  await node.pool.query(
    `select pg_create_logical_replication_slot('tributary_${node.test.name}', 'pgoutput')`,
  );
  // Else the first heartbeat may carry the very position the slot has confirmed, and counts as margin.
  await node.pool.query(`select pg_logical_emit_message(false, 'tributary test', '')`);
  for (let beat = 0; beat < 5; beat += 1) {
    await node.beat();
  }
  await purgeHeartbeats(node.database);
  const { rows } = await node.pool.query(
    `select
       count(*) filter (where lsn > '0/0'::pg_lsn + 300)::int as after_the_slot,
       count(*) filter (where lsn <= '0/0'::pg_lsn + 300)::int as margin
     from tributary.heartbeat_log`,
  );
  assert.deepEqual(rows, [{ after_the_slot: 5, margin: 100 }]);
});
