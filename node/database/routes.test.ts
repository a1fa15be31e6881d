/** Which way an origin comes, and what is waited for when that changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { because } from '../parking/parked-key.ts';
import { park } from '../parking/parked-table.ts';
import { ParkedView } from '../parking/parked-view.ts';
import { listRewound } from '../parking/rewound-table.ts';
import { parseLsn } from '../pgoutput/lsn.ts';
import { TestDatabase } from '../testing/database.ts';
import { OwnDatabase } from '../testing/own-database.ts';
import { readFreshness } from './freshness.ts';
import { finishTable, startTable } from './reconcile-tables.ts';
import { arrivedOrigins, awaitedOrigins, endWait, replaceRoutes } from './routes.ts';
import { beginStream } from './streams.ts';

class Nation extends OwnDatabase {
  /** Streams from old and new; the district comes by way of old. */
  static async create(): Promise<Nation> {
    const nation = new Nation(await TestDatabase.create());
    await nation.make('nation');
    await nation.hear('nation', '0/1');
    await nation.route({ old: 'old', new: 'new', district: 'old' });
    for (const provider of ['old', 'new']) {
      await nation.begin(provider);
    }
    return nation;
  }

  async begin(provider: string): Promise<void> {
    await beginStream(this.database, provider, {
      slot: 'tributary_nation',
      position: parseLsn('0/100'),
      systemIdentifier: '7000000000000000001',
      timeline: 1,
      publicationOid: 1,
      publicationNonce: '00000000-0000-4000-8000-000000000001',
      incomplete: null,
    });
  }

  async route(routes: Readonly<Record<string, string>>): Promise<readonly unknown[]> {
    return await replaceRoutes(this.database, new Map(Object.entries(routes)));
  }

  /** A heartbeat of that node is applied here; what it says of the district. */
  async hear(node: string, lsn: string, says?: { via: string; complete: boolean }): Promise<void> {
    await this.pool.query(
      `insert into tributary.heartbeat (node, at, lsn, nonce, version, topology, origins)
       values ($1, '2026-01-01T00:00:00Z', $2, gen_random_uuid(), '1', 'x', $3)
       on conflict (node) do update set lsn = excluded.lsn, origins = excluded.origins`,
      [node, lsn, says ? { district: says } : {}],
    );
  }

  async arrived(): Promise<readonly string[]> {
    return await arrivedOrigins(this.query, 'new');
  }

  async word(): Promise<string> {
    const found = (await readFreshness(this.database)).find(({ origin }) => origin === 'district');
    return `${found?.via} ${found?.complete ? 'complete' : found?.reason}`;
  }
}

const moved = { old: 'old', new: 'new', district: 'new' };

void test('an origin that goes another way is awaited, and not complete; the move is in the audit', async () => {
  await using nation = await Nation.create();
  await nation.hear('district', '0/500');
  await nation.hear('old', '0/1', { via: 'district', complete: true });
  await nation.hear('new', '0/1', { via: 'district', complete: true });
  assert.equal(await nation.word(), 'old complete');
  assert.deepEqual(await nation.route(moved), [{ origin: 'district', via: 'new', from: 'old' }]);
  assert.deepEqual(await awaitedOrigins(nation.query, 'new'), ['district']);
  assert.equal(await nation.word(), 'new nation: moved');
  assert.deepEqual(await nation.route(moved), [], 'the same file again changes nothing');
  const { rows } = await nation.pool.query(
    `select subject, detail from tributary.audit where action = 'rerouted'`,
  );
  assert.deepEqual(rows, [{ subject: 'district', detail: { from: 'old', via: 'new' } }]);
});

void test('it has come over once the child says that it has all of it, and brought what is newer than the other way did', async () => {
  await using nation = await Nation.create();
  await nation.hear('district', '0/500');
  await nation.route(moved);
  await nation.hear('district', '0/600');
  assert.deepEqual(await nation.arrived(), [], 'the child has said nothing of it');
  await nation.hear('new', '0/1', { via: 'district', complete: false });
  assert.deepEqual(await nation.arrived(), [], 'the child has not all of it');
  await nation.hear('new', '0/2', { via: 'district', complete: true });
  assert.deepEqual(await nation.arrived(), ['district']);
  await nation.hear('district', '0/500');
  assert.deepEqual(await nation.arrived(), [], 'nothing newer has come by the new way');
  await nation.hear('district', '0/400');
  assert.deepEqual(await nation.arrived(), [], 'what the child had of before is no proof');
});

void test('every hop below must say so', async () => {
  await using nation = await Nation.create();
  await nation.hear('district', '0/500');
  await nation.route(moved);
  await nation.hear('district', '0/600');
  await nation.hear('new', '0/1', { via: 'zone', complete: true });
  assert.deepEqual(await nation.arrived(), []);
  await nation.hear('zone', '0/1', { via: 'district', complete: false });
  assert.deepEqual(await nation.arrived(), []);
  await nation.hear('zone', '0/2', { via: 'district', complete: true });
  assert.deepEqual(await nation.arrived(), ['district']);
});

void test('moved back before it had come over, it is measured by the newest of all ways', async () => {
  await using nation = await Nation.create();
  await nation.hear('district', '0/500');
  await nation.route(moved);
  await nation.hear('district', '0/200');
  await nation.route({ old: 'old', new: 'new', district: 'old' });
  await nation.route(moved);
  await nation.hear('new', '0/1', { via: 'district', complete: true });
  await nation.hear('district', '0/400');
  assert.deepEqual(await nation.arrived(), []);
  await nation.hear('district', '0/501');
  assert.deepEqual(await nation.arrived(), ['district']);
});

void test('come over, its tables are compared; with the last one it is complete', async () => {
  await using nation = await Nation.create();
  await nation.hear('new', '0/1', { via: 'district', complete: true });
  await nation.route(moved);
  await nation.hear('district', '0/600');
  const tables = ['case_report', 'facility'].map((name) => ({ schema: 'public', name }));
  const states = async (): Promise<unknown> =>
    (
      await nation.pool.query(
        `select table_name || ' ' || state || ' ' || reason as line from tributary.reconcile order by 1`,
      )
    ).rows.map((row: { line: string }) => row.line);
  await nation.pool.query(
    `insert into tributary.reconcile (provider, schema_name, table_name, state, reason, through) values ('new', 'public', 'facility', 'done', 'first_copy', '["x"]')`,
  );
  await endWait(nation.query, 'new', { origins: ['district'], tables });
  assert.deepEqual(await states(), ['case_report wanted moved', 'facility wanted moved']);
  assert.deepEqual(await awaitedOrigins(nation.query, 'new'), []);
  await endWait(nation.query, 'new', { origins: ['district'], tables });
  for (const table of tables) {
    assert.equal(await nation.word(), 'new nation: moved');
    await startTable(nation.query, { provider: 'new', ...table }, 1);
    await finishTable(nation.query, { provider: 'new', ...table });
  }
  assert.equal(await nation.word(), 'new complete');
});

void test('keys that were parked of the other stream are found again by the new one, and those that may be the last copy stay', async () => {
  await using nation = await Nation.create();
  const facility = { schema: 'public', name: 'facility' };
  await listRewound(nation.query, new ParkedView('old'), [
    { table: facility, key: ['last'], origin: 'district', onlyHere: true },
  ]);
  await park(
    nation.query,
    'old',
    [
      { key: ['failed'], origin: 'district' },
      { key: ['sibling'], origin: 'old' },
    ].map((one) => ({
      ...one,
      ...because('origin_violation'),
      table: facility,
      waitsFor: null,
    })),
  );
  await nation.route(moved);
  const { rows } = await nation.pool.query(
    `select provider, key ->> 0 as key, reason, only_here from tributary.parked order by 2`,
  );
  assert.deepEqual(rows, [
    { provider: 'new', key: 'last', reason: 'rewound', only_here: true },
    { provider: 'old', key: 'sibling', reason: 'origin_violation', only_here: null },
  ]);
});

void test('what the file before sent elsewhere is awaited when it comes below a stream that runs, and below a new one not', async () => {
  await using nation = await Nation.create();
  await nation.route({ ...moved, added: 'new', far: 'west', west: 'west' });
  assert.deepEqual(await awaitedOrigins(nation.query, 'new'), ['added', 'district']);
  assert.deepEqual(await awaitedOrigins(nation.query, 'west'), [], 'its first copy brings all');
});

void test('a child has all of its own rows: nothing is awaited of an origin that comes by itself', async () => {
  await using nation = await Nation.create();
  await nation.hear('district', '0/500');
  await nation.route({ old: 'old', new: 'new', district: 'district' });
  assert.deepEqual(await awaitedOrigins(nation.query, 'district'), []);
  assert.equal(await nation.word(), 'district nation: no_stream');
});
