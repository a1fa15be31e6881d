/** A transaction larger than any memory mark: whole or not at all, in bounded memory, through a cut link. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';
import type { ApplicationTable } from '../application.ts';
import { Background } from '../background.ts';
import type { NodeDatabase } from '../node-database.ts';
import { Tree } from '../tree.ts';

const rows = Number(process.env['TEST_ROWS'] ?? 60_000);
/** One row in so many carries a value stored out of line. */
const largeEvery = 100;
const memoryBound = 256 * 1024 * 1024;

const approved = "status = 'approved'";
const tables: readonly ApplicationTable[] = [{ name: 'huge', approved, key: 'id' }];
const application = {
  tables,
  sql: `create table public.huge (id uuid primary key, status text not null, number integer, image bytea);`,
  yaml: `tables:\n  - {table: public.huge, approved: "${approved}"}\n`,
};

void test(`a transaction of ${rows} rows is seen whole or not at all, though its link is cut in the middle`, async (t) => {
  await using tree = await Tree.create({
    parents: { nation: null, district_a: 'nation' },
    application,
    settings: { max_wal_size: '4GB' },
  });
  const leaf = tree.node('district_a').database;
  const nation = tree.node('nation').database;
  const seen = new Map<number, number>();
  await using reader = new Background(async (signal) => {
    await poll(nation, seen, signal);
  });
  const started = performance.now();
  await enter(leaf);
  const entered = performance.now();
  const before = tree.link('district_a').bytes.fromServer;
  await tree.link('district_a').cutAfter(Math.floor((rows * averageBytes()) / 2));
  const cutAt = tree.link('district_a').bytes.fromServer - before;
  await tree.until(async () => (await count(nation)) === rows, {
    what: `all ${rows} rows at the nation`,
    ms: 60_000 + rows,
    everyMs: 250,
  });
  const applied = performance.now();
  await tree.waitLevel(60_000 + rows / 5);
  await reader.stop();
  const memory = await tree.process('nation').memory('VmHWM');
  t.diagnostic(`VmHWM ${(memory / 1024 / 1024).toFixed(0)} MiB; cut after ${cutAt} bytes`);
  t.diagnostic(
    `entered in ${seconds(started, entered)} s, seen ${seconds(entered, applied)} s later`,
  );
  t.diagnostic(
    `a reader looked ${[...seen.values()].reduce((sum, times) => sum + times, 0)} times`,
  );
  assert.deepEqual(
    [...seen.keys()].filter((number) => number !== 0 && number !== rows),
    [],
    'never between',
  );
  assert.ok(seen.has(0));
  assert.ok(memory < memoryBound, `${memory} bytes held`);
});

async function enter(leaf: NodeDatabase): Promise<void> {
  await leaf.query(
    `insert into public.huge (id, status, number, image)
     select
       gen_random_uuid(),
       'approved',
       n,
       case when n % ${largeEvery} = 0 then (
         select string_agg(sha512((n || ' ' || part)::text::bytea), '') from generate_series(1, 64) part
       ) end
     from generate_series(1, ${rows}) n`,
  );
}

/** What one row weighs on the wire, roughly: 4 kB for one in a hundred, as hexadecimal. */
function averageBytes(): number {
  return 90 + (2 * 64 * 64) / largeEvery;
}

async function poll(
  nation: NodeDatabase,
  seen: Map<number, number>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const now = await count(nation);
    seen.set(now, (seen.get(now) ?? 0) + 1);
    await pause(20, undefined, { signal }).catch(() => {});
  }
}

async function count(database: NodeDatabase): Promise<number> {
  const [row] = await database.query<{ rows: number }>(
    `select count(*)::int as rows from public.huge`,
  );
  return row?.rows ?? 0;
}

function seconds(from: number, to: number): string {
  return ((to - from) / 1000).toFixed(1);
}
