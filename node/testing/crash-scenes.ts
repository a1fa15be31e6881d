/** What makes the region of a crash stage reach its crash points, beside the work that goes on anyway. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Query } from '../database/query.ts';
import { wantAgain } from '../database/reconcile-tables.ts';
import { loadVerify, wantMended, wantVerify } from '../database/verify-tables.ts';
import { type Death, dying, filler, leaf, survive } from './crash-stage.ts';
import type { Tree } from './tree.ts';

const caseReport = { schema: 'public', name: 'case_report' };

export type Scene = (tree: Tree, death: Death) => Promise<void>;

/** What a test does to many rows at once must not deadlock with what is applied: it has no second try. */
const alone = 'lock table public.case_report in exclusive mode';

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
    times: 3,
    cause: async () => {
      await lookOver(tree);
      await database.queryBehind(
        `${alone}; delete from public.case_report where tributary_origin = '${leaf}'`,
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
  const audited = async (): Promise<number> =>
    (await database.query(`select from tributary.audit where action = 'drop_slot'`)).length;
  const before = await audited();
  await database.query(`select from pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  await tree.stop(dying);
  await database.query(
    `insert into tributary.unused_slot (slot, since) values ($1, now() - interval '2 days')
     on conflict (slot) do update set since = excluded.since`,
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
  assert.equal(await audited(), before + 1, 'once in the audit');
};

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
    `${alone};
     delete from public.case_report where id in (
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
