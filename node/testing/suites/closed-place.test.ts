/** A place that is closed: its rows stay until they are forgotten, and its name as long as they do. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { StatusReport } from '../../monitor/status-report.ts';
import { deliver } from '../deliver.ts';
import type { NodeDatabase } from '../node-database.ts';
import { Tree } from '../tree.ts';

const parents = {
  nation: null,
  north: 'nation',
  district_a: 'north',
  district_b: 'north',
} as const;

void test('a closed place keeps its rows; a name that rows bear stays in the file until they are forgotten', async (t) => {
  await using tree = await Tree.create({ parents, ownFiles: true });
  const nodes = ['nation', 'north', 'district_a'];
  const [north, nation] = [tree.node('north').database, tree.node('nation').database];
  await enter(tree, 'district_a', 20);
  await enter(tree, 'district_b', 30);
  await tree.waitLevel();
  const whole = tree.text;
  const retired = whole.replace(
    '  - name: district_b\n',
    '  - name: district_b\n    retired: true\n',
  );
  const struck = whole.replace(/  - name: district_b\n(?: {4}.*\n)+/, '');

  await t.test('by another file than the parent runs by, nothing is forgotten', async () => {
    await deliver(tree, 'north', retired);
    const refused = await tree.command('north', ['forget', 'district_b', '--yes']);
    assert.equal(refused.code, 3, refused.stdout + refused.stderr);
    assert.match(refused.stdout + refused.stderr, /forget_file_differs/);
    assert.equal(await rowsOf(north, 'district_b'), 30);
  });

  await t.test('`retired: true`: no stream, no alarm, and the rows stay', async () => {
    for (const name of nodes) {
      await deliver(tree, name, retired);
    }
    await tree.stop('district_b');
    await tree.until(
      async () => {
        const { streams } = await tree.status<StatusReport>('north');
        return streams.every(({ provider }) => provider !== 'district_b');
      },
      { what: 'the stream is over' },
    );
    assert.equal(await rowsOf(north, 'district_b'), 30);
    assert.equal(await rowsOf(nation, 'district_b'), 30);
    for (const name of ['north', 'nation']) {
      await tree.until(async () => (await tree.command(name, ['status'])).code === 0, {
        what: `nothing is amiss at ${name}`,
        everyMs: 500,
      });
    }
    const equal = await tree.command('nation', ['verify']);
    assert.equal(equal.code, 0, equal.stdout + equal.stderr);
  });

  await t.test('a file that strikes the name is not taken, and says why', async () => {
    const { digest } = (await tree.status<StatusReport>('nation')).topology;
    await writeFile(tree.fileOf('nation'), struck);
    const refused = await tree.command('nation', ['reload']);
    assert.equal(refused.code, 2, refused.stdout + refused.stderr);
    assert.match(refused.stdout, /name_struck/);
    assert.match(refused.stdout, /district_b/);
    const { topology } = await tree.status<StatusReport>('nation');
    assert.deepEqual([topology.digest, topology.valid], [digest, false]);
    await enter(tree, 'district_a', 1);
    await tree.until(async () => (await rowsOf(nation, 'district_a')) === 21, {
      what: 'the streams go on by the file before',
    });
  });

  await t.test('a process that starts with such a file serves once the name is back', async () => {
    await tree.stop('nation');
    tree.start('nation');
    await tree.until(
      async () => {
        const { ready, problem } = await tree.status<StatusReport>('nation');
        return !ready && problem?.code === 'name_struck';
      },
      { what: 'it says that the name is missing' },
    );
    await deliver(tree, 'nation', retired);
    await tree.until(async () => (await tree.status<StatusReport>('nation')).ready, {
      what: 'it serves',
    });
    assert.equal(await rowsOf(nation, 'district_b'), 30);
  });

  await t.test('what comes here by the file is not forgotten', async () => {
    for (const name of ['district_a', 'north']) {
      const refused = await tree.command('north', ['forget', name, '--yes']);
      assert.equal(refused.code, 2, refused.stdout + refused.stderr);
      assert.match(refused.stdout + refused.stderr, /forget_own/);
    }
    const unknown = await tree.command('north', ['forget', 'district_z', '--yes']);
    assert.match(unknown.stdout + unknown.stderr, /node_unknown/);
    assert.equal(await rowsOf(north, 'district_a'), 21);
  });

  await t.test(
    'while the parent can not be asked by which file it runs, nothing is forgotten',
    async () => {
      await tree.stop('nation');
      const unseen = await tree.command('north', ['forget', 'district_b', '--yes']);
      assert.equal(unseen.code, 1, unseen.stdout + unseen.stderr);
      assert.match(unseen.stdout + unseen.stderr, /forget_parent_unseen/);
      assert.equal(await rowsOf(north, 'district_b'), 30);
      tree.start('nation');
      await tree.streaming('nation');
    },
  );

  await t.test(
    'forgotten, the rows of a closed place go at every level, and the name may be struck',
    async () => {
      const shown = await tree.command('north', ['forget', 'district_b']);
      assert.equal(shown.code, 3, shown.stdout + shown.stderr);
      assert.match(shown.stdout, /public\.case_report: 30 rows of district_b/);
      const done = await tree.command('north', ['forget', 'district_b', '--yes']);
      assert.equal(done.code, 0, done.stdout + done.stderr);
      assert.equal(await rowsOf(north, 'district_b'), 0);
      const streams = await north.query(
        `select from tributary.stream where provider = 'district_b'`,
      );
      assert.equal(streams.length, 0);
      const deeds = await north.query<{ detail: Record<string, number> }>(
        `select detail from tributary.audit where action = 'forget' and subject = 'district_b'`,
      );
      assert.deepEqual(
        deeds.map(({ detail }) => detail['public.case_report']),
        [30],
      );
      await tree.until(async () => (await rowsOf(nation, 'district_b')) === 0, {
        what: 'the nation hears of the removal',
      });
      const last = await tree.command('nation', ['forget', 'district_b', '--yes']);
      assert.equal(last.code, 0, last.stdout + last.stderr);
      for (const name of nodes) {
        await deliver(tree, name, struck);
      }
      await enter(tree, 'district_a', 1);
      await tree.until(async () => (await rowsOf(nation, 'district_a')) === 22, {
        what: 'the streams go on without it',
      });
    },
  );
});

async function enter(tree: Tree, name: string, rows: number): Promise<void> {
  await tree
    .node(name)
    .database.query(
      `insert into public.case_report (id, status) select gen_random_uuid(), 'approved' from generate_series(1, ${rows})`,
    );
}

async function rowsOf(database: NodeDatabase, origin: string): Promise<number> {
  const rows = await database.query(`select from public.case_report where tributary_origin = $1`, [
    origin,
  ]);
  return rows.length;
}
