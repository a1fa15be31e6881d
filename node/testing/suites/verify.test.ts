/**
 * A parent whose rows were changed behind its back: `verify` finds exactly the keys that were, while work goes on,
 * `reconcile` shows them, mends them when it is told to, and touches nothing else.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Background } from '../background.ts';
import { roles } from '../database.ts';
import type { NodeDatabase } from '../node-database.ts';
import { Tree } from '../tree.ts';

const sql = `
  create domain public.cents as numeric(12, 2);
  create table public.sample (
    id uuid primary key default gen_random_uuid(),
    code text not null,
    approved boolean not null,
    note text,
    padded text,
    amount numeric,
    raw bytea,
    grade character(3),
    bits bit(4),
    spent interval day to second,
    price public.cents,
    grades character(3)[],
    touched integer not null default 0
  );
  create index on public.sample (code);`;

const yaml = `tables:
  - table: public.sample
    approved: approved
`;

const application = { sql, yaml, tables: [{ name: 'sample', approved: 'approved', key: 'id' }] };
const rows = Number(process.env['TEST_ROWS'] ?? 5000);

/** What is done to the parent's row of a code of district a, and how each stream must see it. */
const corruptions = [
  { code: 'a 11', set: 'note = null', a: 'different' },
  { code: 'a 12', set: "note = ''", a: 'different' },
  { code: 'a 13', set: 'amount = amount::numeric(20, 3)', a: 'different' },
  { code: 'a 14', set: 'padded = rtrim(padded)', a: 'different' },
  { code: 'a 15', set: 'raw = set_bit(raw, 4001, 1 - get_bit(raw, 4001))', a: 'different' },
  { code: 'a 16', set: 'touched = 7', a: 'different' },
  { code: 'a 21', set: "grade = 'B'", a: 'different' },
  { code: 'a 22', set: "bits = b'0110'", a: 'different' },
  { code: 'a 23', set: "spent = '2 h'", a: 'different' },
  { code: 'a 24', set: 'price = 2.34', a: 'different' },
  { code: 'a 25', set: "grades = '{B}'", a: 'different' },
  { code: 'a 17', set: "tributary_origin = 'district_b'", a: 'missing', b: 'extra' },
  { code: 'a 18', set: null, a: 'missing' },
  { code: 'a 19', set: null, a: 'missing' },
] as const;

interface Found {
  readonly stream: string;
  readonly table: string;
  readonly run: string;
  readonly differing: number;
  readonly differences: readonly { readonly key: readonly string[]; readonly kind: string }[];
}

void test('verify finds exactly the rows that were changed behind the parent, reconcile shows and mends them', async (t) => {
  await using tree = await Tree.create({
    parents: { nation: null, district_a: 'nation', district_b: 'nation' },
    application,
  });
  const nation = tree.node('nation').database;
  for (const name of ['a', 'b']) {
    await tree.node(`district_${name}`).database.query(
      `insert into public.sample (code, approved, note, padded, amount, raw, grade, bits, spent, price, grades)
       select '${name} ' || n, n % 10 <> 0, case n when 12 then null else '' end, 'x  ', 1.0, decode(repeat(md5(n::text), 40), 'hex'),
         'A', b'0101', '1 h', 1.23, '{A}'
       from generate_series(1, ${rows}) n`,
    );
  }
  await tree.waitLevel(120_000);
  await using working = new Background(async (signal) => await work(tree, signal));
  const corrupted = await corrupt(nation);

  const first = await tree.command('nation', ['verify', '--json']);
  assert.equal(first.code, 3, first.stderr);
  const found = JSON.parse(first.stdout) as readonly Found[];
  for (const stream of ['district_a', 'district_b']) {
    const seen = found
      .filter((one) => one.stream === stream)
      .flatMap(({ differences }) => differences.map(({ key, kind }) => `${kind} ${key.join()}`));
    assert.deepEqual(seen.sort(), [...(corrupted.get(stream) ?? [])].sort(), stream);
  }

  const plan = await tree.command('nation', ['reconcile']);
  assert.equal(plan.code, 3, plan.stderr);
  const runs = [...plan.stdout.matchAll(/reconcile --plan (\S+)/g)].map(([, run]) => run ?? '');
  assert.equal(runs.length, 2, plan.stdout);
  const still = await tree.command('nation', ['verify', '--json']);
  const differing = (text: string): number =>
    (JSON.parse(text) as readonly Found[]).reduce((sum, one) => sum + one.differing, 0);
  assert.equal(differing(still.stdout), differing(first.stdout), 'a plan changes nothing');

  const stale = await tree.command('nation', ['reconcile', '--plan', runs[0] ?? '']);
  assert.equal(stale.code, 2, 'a plan whose table was compared anew since is refused');
  const mended = await tree.command('nation', ['reconcile', '--yes']);
  assert.equal(mended.code, 0, mended.stdout + mended.stderr);
  await tree.until(
    async () =>
      (await tree.command('nation', ['parked', 'list'])).stdout.includes('no key is parked'),
    { what: 'the row that stood under another origin is back', ms: 60_000 },
  );
  await working.stop();
  await tree.waitLevel(60_000);
  const last = await tree.command('nation', ['verify']);
  assert.equal(last.code, 0, last.stdout);
  t.diagnostic(last.stdout.trim().replaceAll('\n', ' | '));
  const audit = await nation.query<{ action: string }>(
    `select distinct action from tributary.audit where node = 'nation' and action in ('verify', 'reconcile') order by action`,
  );
  assert.deepEqual(
    audit.map(({ action }) => action),
    ['reconcile', 'verify'],
  );
});

void test('more rows than are allowed are held, untouched, until a person has seen and allowed them', async () => {
  await using tree = await Tree.create({
    parents: { nation: null, district_a: 'nation' },
    application,
  });
  const nation = tree.node('nation').database;
  const leaf = tree.node('district_a').database;
  await leaf.query(
    `insert into public.sample (code, approved, note) select 'a ' || n, true, 'n' from generate_series(1, 5000) n`,
  );
  await tree.waitLevel(120_000);
  await nation.queryBehind(
    `update public.sample set note = 'wrong' where code in (select 'a ' || n from generate_series(1, 1001) n);
     insert into public.sample (code, approved, tributary_origin) values ('only here', true, 'district_a');
     delete from public.sample where code = 'a 3000'`,
  );
  await nation.query(
    `insert into tributary.reconcile (provider, schema_name, table_name, reason) values ('district_a', 'public', 'sample', 'test')
     on conflict (provider, schema_name, table_name) do update set state = 'wanted', reason = 'test', through = null, wanted_at = now()`,
  );
  await tree.until(async () => (await stateOf(nation)) === 'held', { what: 'held', ms: 60_000 });
  const count = async (condition: string): Promise<number> => {
    const [row] = await nation.query<{ count: number }>(
      `select count(*)::int as count from public.sample where ${condition}`,
    );
    return row?.count ?? -1;
  };
  assert.equal(await count(`note = 'wrong'`), 1001);
  assert.equal(await count(`code = 'only here'`), 1);
  assert.equal(await count(`code = 'a 3000'`), 1, 'what is missing is added without a word');
  // New work is not held up by what waits for a person.
  await leaf.query(`insert into public.sample (code, approved) values ('new', true)`);
  await tree.until(async () => (await count(`code = 'new'`)) === 1, {
    what: 'new work',
    ms: 30_000,
  });

  const mended = await tree.command('nation', ['reconcile', '--table', 'public.sample', '--yes']);
  assert.equal(mended.code, 0, mended.stdout + mended.stderr);
  await tree.waitLevel();
  assert.equal(await stateOf(nation), 'done');
});

/**
 * How far the last chunk goes was not written, so what a killed comparison had found in it was counted again by the next
 * one, and a table whose last chunk was through was walked again from its beginning.
 */
void test('a comparison that is killed behind its last chunk counts nothing twice and begins nothing anew', async () => {
  await using tree = await Tree.create({
    parents: { nation: null, district_a: 'nation' },
    application,
    crashing: true,
  });
  const nation = tree.node('nation').database;
  const crash = tree.crash('nation');
  const dies = async (): Promise<void> => {
    await tree.until(() => !tree.process('nation').running, { what: 'it dies', ms: 60_000 });
  };
  // More than one chunk of the walk.
  await tree.node('district_a').database.query(
    `insert into public.sample (code, approved) select n, true from generate_series(1, 17000) n;
     analyze public.sample`,
  );
  await tree.waitLevel(120_000);
  await nation.queryBehind(
    `delete from public.sample where id in (select id from public.sample order by id desc limit 3)`,
  );
  await crash.arm('chunk-verified', 2);
  await nation.query(
    `insert into tributary.verify (provider, schema_name, table_name, run)
     values ('district_a', 'public', 'sample', gen_random_uuid())`,
  );
  await dies();
  tree.start('nation');
  const differing = await tree.until(
    async () => {
      const rows = await nation.query<{ differing: number }>(
        `select differing::int from tributary.verify where state = 'done'`,
      );
      return rows[0];
    },
    { what: 'the table is compared', ms: 60_000 },
  );
  assert.deepEqual(differing, { differing: 3 });

  await crash.arm('table-equal');
  await nation.query(
    `insert into tributary.reconcile (provider, schema_name, table_name, reason) values ('district_a', 'public', 'sample', 'test')
     on conflict (provider, schema_name, table_name) do update set state = 'wanted', reason = 'test', through = null, walked = 0`,
  );
  await dies();
  const [walk] = await nation.query<{ begun: boolean }>(
    `select through is not null as begun from tributary.reconcile where table_name = 'sample'`,
  );
  assert.equal(walk?.begun, true);
  tree.start('nation');
  await tree.until(async () => (await stateOf(nation)) === 'done', { what: 'done', ms: 60_000 });
  await tree.waitLevel();
});

async function stateOf(database: NodeDatabase): Promise<string | undefined> {
  const [row] = await database.query<{ state: string }>(
    `select state from tributary.reconcile where table_name = 'sample'`,
  );
  return row?.state;
}

/** Updates rows no corruption has touched, and makes and withdraws others. */
async function work(tree: Tree, signal: AbortSignal): Promise<void> {
  const leaves = await Promise.all(
    tree.leaves.map(async ({ database }) => await database.client(roles.owner)),
  );
  try {
    for (let n = 100; !signal.aborted; n = n + 1 < rows ? n + 1 : 100) {
      for (const [at, leaf] of leaves.entries()) {
        const code = `${at === 0 ? 'a' : 'b'} ${n}`;
        await leaf.query(
          n % 7 === 0
            ? 'update public.sample set approved = not approved where code = $1'
            : 'update public.sample set touched = touched + 1 where code = $1',
          [code],
        );
      }
      await pause(5, undefined, { signal }).catch(() => {});
    }
  } finally {
    await Promise.all(leaves.map(async (leaf) => await leaf.end()));
  }
}

/** By stream: `kind key`, as verify must find them. */
async function corrupt(nation: NodeDatabase): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>([
    ['district_a', []],
    ['district_b', []],
  ]);
  for (const corruption of corruptions) {
    const { code, set } = corruption;
    const [row] = await nation.query<{ id: string }>(
      `select id from public.sample where code = '${code}'`,
    );
    const id = row?.id ?? '';
    await nation.queryBehind(
      set === null
        ? `delete from public.sample where id = '${id}'`
        : `update public.sample set ${set} where id = '${id}'`,
    );
    found.get('district_a')?.push(`${corruption.a} ${id}`);
    if ('b' in corruption) {
      found.get('district_b')?.push(`${corruption.b} ${id}`);
    }
  }
  const id = '00000000-0000-4000-8000-00000000000b';
  await nation.queryBehind(
    `insert into public.sample (id, code, approved, tributary_origin) values ('${id}', 'b x', true, 'district_b')`,
  );
  found.get('district_b')?.push(`extra ${id}`);
  return found;
}
