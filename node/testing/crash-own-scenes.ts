/** Scenes of crash points in trees of their own: the first contact, preparing, and a district that went back in time. */
import assert from 'node:assert/strict';
import { backUp, restore } from './backup.ts';
import { atRest, bareTree, type Death, die, dying, fill, leaf, survive } from './crash-stage.ts';
import { roles } from './database.ts';
import { streamStatus } from './stream-watch.ts';
import type { Tree } from './tree.ts';

const stream = { subscriber: dying, provider: leaf };

/** Makes its own tree. */
export type OwnScene = (death: Death) => Promise<void>;

/** The first contact of a region with a district some of whose rows it holds under its own name. */
export const firstContact: OwnScene = async (death) => {
  await using tree = await bareTree({ more: { [leaf]: ['adopt: true'] } });
  for (const node of [dying, leaf]) {
    const owner = await tree.node(node).database.client(roles.owner);
    await owner.query(
      `insert into public.facility (code, name) select 'before ' || n, 'of ${node}' from generate_series(1, 50) n`,
    );
    await owner.end();
  }
  await fill(tree);
  await tree.prepare();
  tree.start(leaf);
  await survive(tree, death);
};

/** Databases are prepared by a command that dies, and by another one. */
export const preparing: OwnScene = async ({ point, random }) => {
  await using tree = await bareTree();
  await fill(tree);
  for (const node of [dying, leaf]) {
    const crash = tree.crash(node);
    const words = ['prepare', '--admin', tree.node(node).database.url(roles.owner)];
    await crash.arm(point, 1 + random.below(10));
    const killed = await tree.command(node, words);
    assert.equal(killed.code, -1, killed.stdout + killed.stderr);
    assert.deepEqual(await crash.reached(), [point]);
    const again = await tree.command(node, words);
    assert.notEqual(again.code, -1);
  }
  await tree.prepare();
  await tree.startAll();
  await atRest(tree);
};

/** A district restored from its backup: what may be the last copy is listed, and given back to it. */
export const wentBack: OwnScene = async (death) => {
  await using tree = await backInTime();
  await die(tree, { ...death, cause: async () => await Promise.resolve() });
  tree.start(dying);
  await givenBack(tree);
};

/** As above; the command that gives it back dies. */
export const givingBack: OwnScene = async ({ point, passing }) => {
  await using tree = await backInTime();
  const crash = tree.crash(dying);
  tree.start(dying);
  await listed(tree);
  await crash.arm(point, passing);
  const killed = await giveBack(tree);
  assert.equal(killed.code, -1, killed.stdout + killed.stderr);
  assert.equal((await crash.reached()).at(-1), point);
  await givenBack(tree);
};

const lostRows = 30;

/** The region does not run; it holds what the district has lost. */
async function backInTime(): Promise<Tree> {
  const tree = await bareTree();
  try {
    const { database } = tree.node(leaf);
    await tree.prepare();
    await enter(tree, 'the day before', 100);
    await tree.startAll();
    await heard(tree);
    await using backup = await backUp(database.cluster);
    await enter(tree, 'the lost day', lostRows);
    await database.query(`update public.case_report set note = 'changed' where id in (
      select id from public.case_report where note = 'the day before' order by id limit 10)`);
    await heard(tree);
    await tree.waitLevel();
    await tree.stop(dying);
    await restore(database.cluster, backup);
    await enter(tree, 'after the restoring', 10);
    return tree;
  } catch (error) {
    await tree[Symbol.asyncDispose]();
    throw error;
  }
}

async function givenBack(tree: Tree): Promise<void> {
  await listed(tree);
  const { code, stdout, stderr } = await giveBack(tree);
  assert.equal(code, 0, stdout + stderr);
  await atRest(tree);
  const [day] = await tree.node(leaf).database.query(
    `select count(*) filter (where note = 'the lost day')::int as lost,
       count(*) filter (where note = 'changed')::int as changed,
       count(*) filter (where note = 'after the restoring')::int as after
     from public.case_report`,
  );
  assert.deepEqual(day, { lost: lostRows, changed: 10, after: 10 });
}

async function giveBack(tree: Tree): ReturnType<Tree['command']> {
  const admin = tree.node(leaf).database.url(roles.owner);
  return await tree.command(dying, ['rewound', 'return', '--stream', leaf, '--admin', admin]);
}

/** Everything the district lost is listed, and nothing is being compared any more. */
async function listed(tree: Tree): Promise<void> {
  await tree.until(
    async () => {
      const { state, copies } = await streamStatus(tree, stream);
      const rows = await tree
        .node(dying)
        .database.query(
          `select from tributary.parked where reason = 'rewound' and table_name = 'case_report'`,
        );
      return (
        state === 'streaming' &&
        rows.length >= lostRows &&
        copies.length > 0 &&
        copies.every((each) => each.state === 'done')
      );
    },
    { what: 'what was lost is listed', ms: 120_000, everyMs: 100 },
  );
}

async function enter(tree: Tree, note: string, rows: number): Promise<void> {
  await tree.node(leaf).database.query(
    `insert into public.case_report (id, status, note)
     select gen_random_uuid(), 'approved', $1 from generate_series(1, $2::int)`,
    [note, rows],
  );
}

/** A heartbeat of the district from now on is applied at the region. */
async function heard(tree: Tree): Promise<void> {
  const { database } = tree.node(dying);
  const [now] = await tree.node(leaf).database.query<{ at: string }>(`select now()::text as at`);
  await tree.until(
    async () =>
      (
        await database.query(`select from tributary.heartbeat where node = $1 and at > $2`, [
          leaf,
          now?.at,
        ])
      ).length === 1,
    { what: `a heartbeat of ${leaf}`, ms: 60_000 },
  );
}
