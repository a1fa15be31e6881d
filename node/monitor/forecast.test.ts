import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPool } from '../database/connect.ts';
import { readDayRates } from '../database/day-rates.ts';
import { migrate } from '../database/migrate.ts';
import { tributaryDatabase } from '../database/tables.ts';
import { majors, TestDatabase } from '../testing/database.ts';
import { forecast, type ForecastFacts } from './forecast.ts';

const slot = {
  name: 'tributary_north',
  type: 'logical',
  active: true,
  walStatus: 'extended',
  retainedBytes: 0,
  unconfirmedBytes: 0,
  safeWalBytes: 1_000_000,
};
const facts: ForecastFacts = {
  rates: { logBytesPerSecond: 100, diskFreeBytesPerSecond: -50 },
  slots: [slot, { ...slot, name: 'tributary_old', active: false, safeWalBytes: 2000 }],
  disk: { path: '/', totalBytes: 100_000_000, freeBytes: 5_000_000 },
  parent: 'north',
};

void test('a node may be offline until the log its parent needs reaches the bound', () => {
  const { offlineSeconds, diskSeconds, slotSeconds } = forecast(facts);
  assert.equal(offlineSeconds, 10_000);
  assert.equal(diskSeconds, 100_000);
  assert.deepEqual([...slotSeconds], [['tributary_old', 20]]);
});

void test('without a bound the disk is the bound', () => {
  assert.equal(
    forecast({ ...facts, slots: [{ ...slot, safeWalBytes: null }] }).offlineSeconds,
    50_000,
  );
});

void test('past the bound nothing is left, and what is not known is unknown', () => {
  const past = { ...slot, safeWalBytes: -5 };
  assert.equal(forecast({ ...facts, slots: [past] }).offlineSeconds, 0);
  const unknown = { offlineSeconds: null, diskSeconds: null, slotSeconds: new Map() };
  assert.deepEqual(forecast({ ...facts, rates: null }), unknown);
  assert.equal(
    forecast({ ...facts, slots: [{ ...slot, walStatus: 'lost' }] }).offlineSeconds,
    null,
  );
  assert.equal(forecast({ ...facts, parent: null }).offlineSeconds, null);
  const still = { logBytesPerSecond: 0, diskFreeBytesPerSecond: 3 };
  assert.deepEqual(forecast({ ...facts, rates: still }), unknown);
});

for (const major of majors()) {
  void test(`rates are those of the last day, and unknown before there are enough heartbeats, on ${major}`, async () => {
    await using test = await TestDatabase.create(major);
    const client = await test.admin.connect();
    await migrate(client);
    client.release();
    const pool = openPool({ url: test.url(), applicationName: 'test', max: 1 });
    try {
      const database = tributaryDatabase(pool);
      const beats = async (from: number, to: number): Promise<void> => {
        await test.query(
          `insert into tributary.heartbeat_log (nonce, lsn, at, disk_free)
           select gen_random_uuid(), '0/0'::pg_lsn + 3000 * n, now() - interval '2 hours' + n * interval '30 s', 1e9 - 600 * n
           from generate_series($1::int, $2::int) n`,
          [from, to],
        );
      };
      await beats(1, 19);
      const few = { logBytesPerSecond: null, diskFreeBytesPerSecond: null };
      assert.deepEqual(await readDayRates(database), few);
      await beats(20, 60);
      // Of another time: before an import of years of rows.
      await test.query(
        `insert into tributary.heartbeat_log (nonce, lsn, at, disk_free)
         select gen_random_uuid(), '0/0', now() - interval '3 days', 9e9`,
      );
      const { logBytesPerSecond, diskFreeBytesPerSecond } = await readDayRates(database);
      assert.ok(Math.abs((logBytesPerSecond ?? 0) - 100) < 0.1);
      assert.ok(Math.abs((diskFreeBytesPerSecond ?? 0) + 20) < 0.1);
    } finally {
      await pool.end();
    }
  });
}
