/** What makes the region of a crash stage reach its crash points, beside the work that goes on anyway. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Query } from '../database/query.ts';
import { wantAgain } from '../database/reconcile-tables.ts';
import { loadVerify, wantMended, wantVerify } from '../database/verify-tables.ts';
import { backUp, restore } from './backup.ts';
import {
  atRest,
  bareTree,
  type Death,
  die,
  dying,
  fill,
  filler,
  leaf,
  survive,
} from './crash-stage.ts';
import { roles } from './database.ts';
import { streamStatus } from './stream-watch.ts';
import type { Tree } from './tree.ts';

const stream = { subscriber: dying, provider: leaf };
const caseReport = { schema: 'public', name: 'case_report' };

export type Scene = (tree: Tree, death: Death) => Promise<void>;
/** Makes its own tree. */
export type OwnScene = (death: Death) => Promise<void>;

/** The work alone comes by. */
export const atWork: Scene = survive;

/** A transaction of 12 MB: it goes to the disk and comes in slices. */
export const hugeTransaction: Scene = async (tree, death) => {
  const { database } = tree.node(leaf);
  await survive(tree, {
    ...death,
    cause: async () =>
      await database.query(
        `insert into public.case_report (id, status, entered_by, narrative)
         select gen_random_uuid(), 'approved', 'huge', repeat(md5(n::text), 1280) from generate_series(1, 300) n`,
      ),
  });
  await database.query(`delete from public.case_report where entered_by = 'huge'`);
};

/** Parked keys are tried again. */
export const retry: Scene = async (tree, death) => {
  const { database } = tree.node(dying);
  await survive(tree, {
    ...death,
    cause: async () =>
      await tree.until(
        async () =>
          (await database.query(`update tributary.parked set retry_at = now() returning 1`))
            .length > 0,
        { what: 'a key is parked' },
      ),
  });
};

/** Nearly nothing of the table is left here: it is copied. */
export const copy: Scene = async (tree, death) => {
  const { database } = tree.node(dying);
  await survive(tree, {
    ...death,
    cause: async () => {
      await lookOver(tree);
      await database.queryBehind(
        `delete from public.case_report where tributary_origin = '${leaf}'`,
      );
      await want(tree);
    },
  });
};

/** Rows were removed, changed and added behind the node: they are found and mended. */
export const compare: Scene = async (tree, death) => {
  await survive(tree, {
    ...death,
    cause: async () => {
      await lookOver(tree);
      await damage(tree);
      await want(tree);
    },
  });
};

/** The slot is gone, and with it what was committed since. */
export const slotDropped: Scene = async (tree, death) => {
  await survive(tree, { ...death, cause: async () => await takeSlot(tree, { again: false }) });
};

/** As above, and somebody has made it again. */
export const slotAgain: Scene = async (tree, death) => {
  await survive(tree, { ...death, cause: async () => await takeSlot(tree, { again: true }) });
};

/** The comparison finds each damaged row once, however often it was interrupted. */
export const verify: Scene = async (tree, death) => {
  const query = queryOf(tree);
  const run = randomUUID();
  const tables = tree.tables.map(({ name }) => ({ schema: 'public', name }));
  let damaged = 0;
  await survive(tree, {
    ...death,
    cause: async () => {
      damaged = await damage(tree);
      await wantVerify(query, leaf, { tables, run });
    },
    afterwards: async () => {
      const rows = await tree.until(
        async () => {
          const rows = await loadVerify(query, leaf);
          return rows.every(({ state }) => state === 'done') ? rows : null;
        },
        { what: 'the tables are compared', ms: 60_000 },
      );
      const found = rows.map(({ name, differing }) => ({ name, differing }));
      const expected = tables.map(({ name }) => ({
        name,
        differing: name === caseReport.name ? damaged : 0,
      }));
      assert.deepEqual(found.sort(byName), expected.sort(byName));
      assert.equal(await wantMended(query, leaf, run), damaged);
    },
  });
};

/** A slot nobody used for a day is dropped when the process looks first. */
export const unusedSlot: Scene = async (tree, death) => {
  const { database } = tree.node(dying);
  const slot = 'tributary_elsewhere';
  await database.query(`select from pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  await tree.stop(dying);
  await database.query(
    `insert into tributary.unused_slot (slot, since) values ($1, now() - interval '2 days')`,
    [slot],
  );
  await survive(tree, {
    ...death,
    afterwards: async () =>
      await tree.until(
        async () =>
          (await database.query(`select from pg_replication_slots where slot_name = $1`, [slot]))
            .length === 0,
        { what: 'the slot is dropped' },
      ),
  });
  const audit = await database.query(
    `select from tributary.audit where action = 'drop_slot' and at > now() - interval '1 minute'`,
  );
  assert.equal(audit.length, 1, 'once in the audit');
};

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
  assert.equal((await giveBack(tree)).code, -1);
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

/** Whether a table is copied or compared depends on how many rows the district is thought to have. */
async function lookOver(tree: Tree): Promise<void> {
  await tree.node(leaf).database.query(`vacuum analyze public.case_report`);
}

async function want(tree: Tree): Promise<void> {
  await wantAgain(queryOf(tree), { provider: leaf, ...caseReport }, { reason: 'test', fills: [] });
}

/** Of rows that the workload leaves alone; how many. */
async function damage(tree: Tree): Promise<number> {
  await tree.node(dying).database.queryBehind(
    `delete from public.case_report where id in (
       select id from public.case_report where entered_by = '${filler}' order by id limit 4);
     update public.case_report set note = 'damaged' where id in (
       select id from public.case_report where entered_by = '${filler}' order by id desc limit 5);
     insert into public.case_report (id, status, entered_by, tributary_origin)
       select gen_random_uuid(), 'approved', 'nobody', '${leaf}' from generate_series(1, 3)`,
  );
  return 4 + 5 + 3;
}

/** While nobody reads it, and nobody comes for it. */
async function takeSlot(tree: Tree, { again }: { readonly again: boolean }): Promise<void> {
  const { database } = tree.node(leaf);
  const slot = `tributary_${dying}`;
  tree.link(leaf).refuse();
  await tree.until(
    async () =>
      (
        await database.query(
          `select from pg_replication_slots where slot_name = $1 and not active`,
          [slot],
        )
      ).length === 1,
    { what: 'the slot is not in use' },
  );
  await database.query(`select pg_drop_replication_slot($1)`, [slot]);
  await database.query(
    `delete from public.case_report where id in (
       select id from public.case_report where entered_by = '${filler}' order by id limit 2)`,
  );
  if (again) {
    await database.query(`select from pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  }
  tree.link(leaf).heal();
}

function queryOf(tree: Tree): Query {
  const { database } = tree.node(dying);
  return async (text, values) => await database.pool.query(text, [...(values ?? [])]);
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
