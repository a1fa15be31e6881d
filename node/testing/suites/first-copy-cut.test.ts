/** A first copy that is interrupted again and again, under load, sends about what one that is left alone sends. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';
import { Background } from '../background.ts';
import { roles } from '../database.ts';
import { Random } from '../random.ts';
import { application, approved, enterRecords } from '../record-table.ts';
import { Tree } from '../tree.ts';

const rows = Number(process.env['TEST_ROWS'] ?? 20_000);
const interruptions = Number(process.env['TEST_CUTS'] ?? 4);
/** From so many rows on a page is small against the whole. */
const manyRows = 500_000;
const pageBytes = 1 << 20;

void test(`a first copy of ${rows} rows interrupted ${interruptions} times sends about what an uncut one sends`, async (t) => {
  const random = new Random(Random.seedOfRun());
  t.diagnostic(`seed ${random.seed}`);
  const uncut = await copy(random.fork('uncut'), 0);
  const cut = await copy(random.fork('cut'), interruptions);
  t.diagnostic(`uncut: ${JSON.stringify(uncut)}; cut: ${JSON.stringify(cut)}`);
  // The page on its way, the one read ahead, and their frames.
  const lost = rows < manyRows ? interruptions * 2.5 * pageBytes : 0;
  assert.ok(cut.bytes <= uncut.bytes * 1.1 + lost, 'bytes are bounded');
  assert.ok(cut.rowsWalked >= rows * 0.85, 'the copy came page by page');
});

/** A megabyte, which was a page once, takes 4 s: a link that held for less brought a copy no further, however often. */
void test('a first copy gets on over a slow link that never holds for long', async (t) => {
  await using tree = await Tree.create({
    parents: { nation: null, district_a: 'nation' },
    application,
    start: false,
  });
  await enterRecords(tree, 1, 4000);
  await tree.prepare();
  const link = tree.link('district_a');
  link.limit(250_000);
  await tree.startAll();
  let cuts = 0;
  await using cutting = new Background(async (signal) => {
    while (!signal.aborted) {
      await tree.streaming('nation');
      await pause(2500, undefined, { signal }).catch(() => {});
      cuts += link.cut() > 0 ? 1 : 0;
    }
  });
  await tree.until(async () => await copied(tree), {
    what: 'the copy is through',
    ms: 180_000,
    everyMs: 200,
  });
  await cutting.stop();
  link.heal();
  await tree.waitLevel(60_000);
  t.diagnostic(`${cuts} cuts`);
  assert.ok(cuts >= 2, 'it was cut');
});

interface Copied {
  readonly bytes: number;
  readonly seconds: number;
  /** Of PostgreSQL's own subscription, afterwards, of the same table under the same writes. */
  readonly nativeSeconds: number | null;
  readonly writes: number;
  readonly rowsWalked: number;
}

async function copy(random: Random, cuts: number): Promise<Copied> {
  await using tree = await Tree.create({
    parents: { nation: null, district_a: 'nation' },
    application,
    start: false,
    settings: { max_wal_size: '4GB' },
  });
  await enterRecords(tree, 1, rows);
  await tree.prepare();
  let writes = 0;
  await using working = new Background(async (signal) => {
    writes = await write(tree, random.fork('writes'), signal);
  });
  const started = performance.now();
  await tree.startAll();
  for (let cut = 1; cut <= cuts; cut += 1) {
    await progress(tree, (cut / (cuts + 1)) * rows * 0.9);
    await interrupt(tree, random, cut);
  }
  await tree.until(async () => await complete(tree), {
    what: 'the copy is through',
    ms: 120_000 + rows,
    everyMs: 200,
  });
  const seconds = Math.round((performance.now() - started) / 1000);
  const nativeSeconds = cuts === 0 ? await nativeCopy(tree) : null;
  const { fromServer } = tree.link('district_a').bytes;
  await working.stop();
  await tree.waitLevel(120_000);
  return { bytes: fromServer, seconds, nativeSeconds, writes, rowsWalked: await walked(tree) };
}

/** Seconds until PostgreSQL's own subscription has copied the table into another database of the parent's server. */
async function nativeCopy(tree: Tree): Promise<number> {
  const { cluster } = tree.node('nation').database;
  const provider = tree.node('district_a').database;
  await provider.query(`create publication native for table public.record where (${approved})`);
  await cluster.query('create database native');
  await cluster.query(application.sql, 'native');
  const { hostname, port, username, password, pathname } = new URL(provider.url());
  const connection = `host=${hostname} port=${port} user=${username} password=${password} dbname=${pathname.slice(1)}`;
  const started = performance.now();
  await cluster.query(
    `create subscription native connection '${connection}' publication native with (binary = true)`,
    'native',
  );
  await tree.until(
    async () => {
      const { rows: ready } = await cluster.query(
        `select from pg_subscription_rel where srsubstate = 'r'`,
        'native',
      );
      return ready.length === 1;
    },
    { what: 'the native copy is through', ms: 120_000 + rows, everyMs: 200 },
  );
  const seconds = (performance.now() - started) / 1000;
  await cluster.query('drop subscription native', 'native');
  return Math.round(seconds);
}

/** About 50 writes a second, spread over the ranges being copied. */
async function write(tree: Tree, random: Random, signal: AbortSignal): Promise<number> {
  const client = await tree.node('district_a').database.client(roles.owner);
  let done = 0;
  while (!signal.aborted) {
    const at = 1 + random.below(rows);
    await client.query(
      random.pick([
        `update public.record set status = 'approved' where number = ${at}`,
        `update public.record set status = 'draft' where number = ${at}`,
        `update public.record set body = md5(body) || body where number = ${at}`,
        `update public.record set id = gen_random_uuid() where number = ${at}`,
        `delete from public.record where number = ${at}`,
        `insert into public.record values (gen_random_uuid(), 'approved', 'meanwhile', ${rows + done}, 'new', null)`,
      ]),
    );
    done += 1;
    await pause(20, undefined, { signal }).catch(() => {});
  }
  await client.end();
  return done;
}

async function interrupt(tree: Tree, random: Random, cut: number): Promise<void> {
  if (cut % 3 === 0) {
    await tree.kill9('nation');
    tree.start('nation');
  } else if (cut % 3 === 1) {
    tree.link('district_a').cut();
  } else {
    await tree.link('district_a').cutAfter(random.below(500_000));
  }
  await tree.streaming();
}

async function progress(tree: Tree, wanted: number): Promise<void> {
  await tree.until(async () => (await walked(tree)) >= wanted || (await complete(tree)), {
    what: `${wanted} rows are copied`,
    ms: 120_000 + rows,
    everyMs: 50,
  });
}

async function walked(tree: Tree): Promise<number> {
  const [row] = await tree
    .node('nation')
    .database.query<{ walked: number }>(
      `select coalesce(max(walked), 0)::int as walked from tributary.reconcile where table_name = 'record'`,
    );
  return row?.walked ?? 0;
}

async function copied(tree: Tree): Promise<boolean> {
  const [row] = await tree
    .node('nation')
    .database.query<{ done: boolean }>(
      `select coalesce(bool_and(state = 'done'), false) as done from tributary.reconcile where table_name = 'record'`,
    );
  return row?.done ?? false;
}

async function complete(tree: Tree): Promise<boolean> {
  const [row] = await tree
    .node('nation')
    .database.query<{ complete: boolean }>(
      `select complete from tributary.freshness where origin = 'district_a'`,
    );
  return row?.complete ?? false;
}
