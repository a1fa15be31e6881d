/** A node that is new in the file, which reaches its region first and the nation last. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { StatusReport } from '../../monitor/status-report.ts';
import { deliver } from '../deliver.ts';
import { untilStreaming } from '../stream-watch.ts';
import { Tree } from '../tree.ts';

const parents = {
  nation: null,
  north: 'nation',
  district_a: 'north',
  district_b: 'north',
} as const;

void test('a new node streams before the nation knows its name, and the nation makes up for what it left out', async () => {
  await using tree = await Tree.create({ parents, ownFiles: true, start: false });
  await tree.prepare();
  const whole = tree.text;
  const before = whole.replace(/ {2}- name: district_b\n(?: {4}.*\n)+/, '');
  for (const name of ['nation', 'north', 'district_a']) {
    await writeFile(tree.fileOf(name), before);
    tree.start(name);
  }
  await untilStreaming(tree, { subscriber: 'nation', provider: 'north' });
  await untilStreaming(tree, { subscriber: 'north', provider: 'district_a' });
  await enter(tree, 'district_b', 40);
  tree.start('district_b');
  await deliver(tree, 'north', whole);
  await enter(tree, 'district_a', 10);
  await tree.until(
    async () => {
      const [row] = await tree
        .node('nation')
        .database.query<{ parked: number; rows: number }>(
          `select (select count(*)::int from tributary.parked) as parked, (select count(*)::int from public.case_report) as rows`,
        );
      return row?.rows === 10 && row.parked > 0;
    },
    { what: 'the nation takes what it knows and leaves what it does not' },
  );
  await deliver(tree, 'nation', whole);
  await enter(tree, 'district_b', 5);
  await tree.waitLevel();
  await tree.until(
    async () => {
      const { freshness, streams } = await tree.status<StatusReport>('nation');
      const found = freshness.find(({ origin }) => origin === 'district_b');
      return found?.complete === true && streams.every(({ parked }) => parked.length === 0);
    },
    { what: 'the new node is complete at the nation, and nothing is parked', ms: 60_000 },
  );
  const [row] = await tree
    .node('nation')
    .database.query<{ rows: number }>(
      `select count(*)::int as rows from public.case_report where tributary_origin = 'district_b'`,
    );
  assert.equal(row?.rows, 45);
});

async function enter(tree: Tree, name: string, rows: number): Promise<void> {
  await tree
    .node(name)
    .database.query(
      `insert into public.case_report (id, status) select gen_random_uuid(), 'approved' from generate_series(1, ${rows})`,
    );
}
