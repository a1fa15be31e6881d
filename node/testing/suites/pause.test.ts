/** A person stops a stream and lets it go on: by the command line, across a restart, and known at every level above. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusReport } from '../../monitor/status-report.ts';
import { chain, Tree } from '../tree.ts';

async function stateOf(tree: Tree): Promise<string | undefined> {
  const { streams } = await tree.status<StatusReport>('north');
  return streams.find(({ provider }) => provider === 'district_a')?.state;
}

async function isState(tree: Tree, state: string): Promise<void> {
  await tree.until(async () => (await stateOf(tree)) === state, {
    what: `the stream of district_a is ${state}`,
    everyMs: 100,
  });
}

void test('a paused stream stays paused through a restart, resumes where it was, and both are audited', async () => {
  await using tree = await Tree.create({ parents: chain });
  const { database } = tree.node('district_a');
  const approve = async (code: string): Promise<void> => {
    await database.query('insert into public.facility (code, name) values ($1, $1)', [code]);
  };
  const arrived = async (code: string): Promise<boolean> => {
    const rows = await tree
      .node('north')
      .database.query('select from public.facility where code = $1', [code]);
    return rows.length === 1;
  };
  await isState(tree, 'streaming');

  const paused = await tree.command('north', ['pause', 'district_a']);
  assert.equal(paused.code, 0, paused.stdout + paused.stderr);
  assert.match(paused.stdout, /is paused; .* `tributary resume district_a`/);
  await isState(tree, 'paused');
  await approve('while-paused');
  const status = await tree.command('north', ['status']);
  assert.equal(status.code, 1);
  assert.match(status.stdout, /stream district_a is paused/);

  await tree.stop('north');
  tree.start('north');
  await isState(tree, 'paused');
  assert.equal(await arrived('while-paused'), false);

  const resumed = await tree.command('north', ['resume', 'district_a']);
  assert.equal(resumed.code, 0, resumed.stdout + resumed.stderr);
  await isState(tree, 'streaming');
  await tree.until(async () => await arrived('while-paused'), { what: 'the row arrived' });

  for (const node of ['north', 'nation']) {
    const rows = await tree.until(
      async () => {
        const found = await tree.node(node).database.query<{ action: string; actor: string }>(
          `select action, actor from tributary.audit
           where node = 'north' and subject = 'district_a' order by at, id`,
        );
        return found.length >= 2 ? found : null;
      },
      { what: `the audit has arrived at ${node}` },
    );
    assert.deepEqual(
      rows.map(({ action }) => action),
      ['pause', 'resume'],
    );
    assert.match(rows[0]?.actor ?? '', / at /);
  }
});

void test('what is no child, has not begun, or has no process is refused with a reason', async () => {
  await using tree = await Tree.create({ parents: chain, start: false });
  await tree.prepare();
  const nobody = await tree.command('north', ['pause', 'district_a']);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stdout, /no process of north answers/);
  tree.link('district_a').refuse();
  tree.start('north');
  await tree.until(async () => (await tree.status<StatusReport>('north')).ready, {
    what: 'north is ready',
  });
  const stranger = await tree.command('north', ['pause', 'nation']);
  assert.equal(stranger.code, 2);
  assert.match(stranger.stdout, /no child of this name/);
  const early = await tree.command('north', ['pause', 'district_a']);
  assert.equal(early.code, 2);
  assert.match(early.stdout, /has not begun yet/);
});
