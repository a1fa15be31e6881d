import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { parseTopology } from '../config/load.ts';
import type { Topology } from '../config/model.ts';
import { nodeOf } from '../config/tree.ts';
import { openPool } from '../database/connect.ts';
import { migrate } from '../database/migrate.ts';
import { tributaryDatabase } from '../database/tables.ts';
import { TributaryError } from '../errors.ts';
import { silent } from '../log.ts';
import { openDirect } from '../provider/direct.ts';
import { TestDatabase } from '../testing/database.ts';
import { until } from '../testing/until.ts';
import { Supervisor } from './supervisor.ts';

function country(children: readonly string[]): Topology {
  const nodes = children.map(
    (name) => `  - {name: ${name}, level: region, parent: nation, database: x, provider: y}\n`,
  );
  return parseTopology(
    `version: 1
zone: UTC
heartbeat: 30s
levels: [region, nation]
tables:
  - table: public.facility
    key: [code]
nodes:
  - {name: nation, level: nation, database: z}
${nodes.join('')}`,
    'topology.yaml',
  );
}

/** A server that accepts and never says a word, as a link that swallows packets. */
async function swallowing(): Promise<AsyncDisposable & { readonly url: string }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `postgres://x:y@127.0.0.1:${port}/z`,
    [Symbol.asyncDispose]: async () => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
      await once(server, 'close');
    },
  };
}

/** The subscriber's side is real; every provider is at `url`. */
async function supervised(
  url: string,
): Promise<AsyncDisposable & { readonly supervisor: Supervisor; readonly opened: string[] }> {
  const database = await TestDatabase.create();
  const pool = openPool({ url: database.url(), applicationName: 'test', max: 4 });
  const client = await pool.connect();
  await migrate(client);
  client.release();
  const opened: string[] = [];
  const supervisor = new Supervisor({
    database: tributaryDatabase(pool),
    log: silent,
    completenessChanged: () => {},
    ends: () => ({
      openProvider: (child) => {
        opened.push(child);
        return openDirect({
          url,
          provider: child,
          subscriber: 'nation',
          topologyDigest: 'x',
          version: '1',
          log: silent,
        });
      },
      openApplier: async () => await Promise.reject(new TributaryError('internal')),
    }),
  });
  return {
    supervisor,
    opened,
    [Symbol.asyncDispose]: async () => {
      await pool.end();
      await database[Symbol.asyncDispose]();
    },
  };
}

void test('a planned stop does not wait for an address that swallows packets', async () => {
  await using link = await swallowing();
  await using node = await supervised(link.url);
  const topology = country(['north']);
  const stop = new AbortController();
  const running = node.supervisor.run(topology, nodeOf(topology, 'nation'), stop.signal);
  await until(() => node.opened.length > 0, { what: 'it connects' });
  const asked = performance.now();
  stop.abort();
  await running;
  assert.ok(performance.now() - asked < 3000);
  assert.equal(node.supervisor.reports()[0]?.state, 'stopped');
});

void test('of many streams that start together a few connect at once, and none keeps the others waiting for ever', async () => {
  await using link = await swallowing();
  await using node = await supervised(link.url);
  const names = Array.from({ length: 20 }, (_, n) => `child_${n}`);
  const topology = country(names);
  const stop = new AbortController();
  const running = node.supervisor.run(topology, nodeOf(topology, 'nation'), stop.signal);
  const times: number[] = [];
  await until(
    () => {
      while (times.length < node.opened.length) {
        times.push(performance.now());
      }
      return times.length === names.length;
    },
    { what: 'all have been tried', everyMs: 20 },
  );
  stop.abort();
  await running;
  for (const later of [8, 16]) {
    const waited = (times[later] ?? 0) - (times[later - 8] ?? 0);
    assert.ok(waited > 1000, `stream ${later} came ${waited} ms after the one it waits for`);
  }
});

void test('a new file adds and removes the streams it concerns, and tries waiting ones at once', async () => {
  await using node = await supervised('postgres://x:y@127.0.0.1:1/z');
  const both = country(['north', 'south']);
  const nation = nodeOf(both, 'nation');
  const stop = new AbortController();
  const running = node.supervisor.run(both, nation, stop.signal);
  const states = (): Record<string, string> =>
    Object.fromEntries(node.supervisor.reports().map(({ provider, state }) => [provider, state]));
  await until(() => Object.values(states()).every((state) => state === 'retrying'), {
    what: 'both are tried again',
  });
  // Long enough into the backoff that only being woken explains an attempt at once.
  await until(() => (node.supervisor.reports()[0]?.failure?.count ?? 0) >= 3, { what: 'failures' });
  const fewer = country(['north', 'east']);
  const before = node.opened.length;
  await node.supervisor.reconfigure(fewer, nodeOf(fewer, 'nation'));
  await until(() => node.opened.slice(before).includes('north'), { what: 'north', ms: 500 });
  await until(() => node.opened.includes('east'), { what: 'east is tried' });
  assert.deepEqual(Object.keys(states()), ['east', 'north']);
  stop.abort();
  await running;
  assert.deepEqual(states(), { east: 'stopped', north: 'stopped' });
});

void test('between two files no stream runs, so that none brings rows by a way that is no more', async () => {
  await using node = await supervised('postgres://x:y@127.0.0.1:1/z');
  const before = country(['north', 'south']);
  const after = country(['north', 'east']);
  const nation = nodeOf(before, 'nation');
  const stop = new AbortController();
  const running = node.supervisor.run(before, nation, stop.signal);
  const states = (): Record<string, string> =>
    Object.fromEntries(node.supervisor.reports().map(({ provider, state }) => [provider, state]));
  await until(() => states()['south'] === 'retrying', { what: 'they are tried' });
  let between: Record<string, string> = {};
  await node.supervisor.reconfigure(after, nation, async () => {
    between = states();
    await Promise.resolve();
  });
  assert.deepEqual(between, { north: 'stopped', south: 'stopped' });
  await assert.rejects(
    node.supervisor.reconfigure(before, nation, async () => await Promise.reject(new Error('no'))),
    /no/,
  );
  assert.deepEqual(
    states(),
    { east: 'stopped', north: 'stopped' },
    'nothing runs by a file that was not taken',
  );
  await node.supervisor.reconfigure(after, nation);
  await until(() => states()['east'] === 'retrying', { what: 'the file before is in force again' });
  stop.abort();
  await running;
});
