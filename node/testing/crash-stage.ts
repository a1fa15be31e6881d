/**
 * The tree in which processes are made to die at crash points: a district, a region that dies, a nation; work at the
 * district all the while, some of it rows that the region cannot store. After each death all is level and at rest.
 */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { Background } from './background.ts';
import { unrest } from './calm.ts';
import { isLevel } from './level.ts';
import type { Random } from './random.ts';
import { chain, Tree, type TreeOptions } from './tree.ts';
import { enterUnfit, mendUnfit, unfitSql } from './unfit-clerk.ts';
import { Workload } from './workload.ts';

/** The node that dies. */
export const dying = 'north';
export const leaf = 'district_a';
/** Marks rows that the workload leaves alone. */
export const filler = 'filler';
const fillerRows = 4000;

export interface Death {
  readonly point: string;
  /** It dies at the passing of this number, from when it is told. */
  readonly passing: number;
  readonly random: Random;
  /** What makes it reach the point, beside the work; the process has its orders. */
  readonly cause?: () => Promise<unknown>;
  /** How often it is caused, if once does not pass the point often enough; default 1. */
  readonly times?: number;
  /** After it was started again, while the work goes on. */
  readonly afterwards?: () => Promise<unknown>;
}

/** Of one level more than the fresh trees: the region is a provider too. */
export async function openStage(): Promise<Tree> {
  const tree = await Tree.create({ parents: chain, crashing: true });
  try {
    await tree.node(dying).database.query(unfitSql);
    await fill(tree);
    await atRest(tree);
    return tree;
  } catch (error) {
    await tree[Symbol.asyncDispose]();
    throw error;
  }
}

/** Two nodes; nothing is prepared or started. */
export async function bareTree(options: Partial<TreeOptions> = {}): Promise<Tree> {
  return await Tree.create({
    parents: { [dying]: null, [leaf]: dying },
    crashing: true,
    start: false,
    ...options,
  });
}

/** Four in five of all rows, or a copy would become a comparison by what the work brings; several pages of one. */
export async function fill(tree: Tree): Promise<void> {
  await tree.node(leaf).database.query(
    `insert into public.case_report (id, status, entered_by, note, narrative)
     select gen_random_uuid(), 'approved', '${filler}', n, repeat(md5(n::text), 32) from generate_series(1, ${fillerRows}) n;
     analyze public.case_report`,
  );
}

/** Under work: the process dies, is started again, and all is level and at rest. */
export async function survive(tree: Tree, death: Death): Promise<void> {
  const { random } = death;
  const { database } = tree.node(leaf);
  const unfit = await knowsUnfit(tree);
  await using working = work(tree, random);
  await using refused = new Background(async (signal) => {
    await (unfit ? enterUnfit(database, random.fork('unfit'), signal) : Promise.resolve());
  });
  await die(tree, death);
  await pause(random.below(300));
  tree.start(dying);
  await tree.streaming(dying);
  await death.afterwards?.();
  await refused.stop();
  await working.stop();
  await mendUnfit(database);
  await atRest(tree);
}

/** Resolves when it is dead. @throws Error when it does not die at the point. */
export async function die(tree: Tree, death: Death): Promise<void> {
  const { point, passing, cause, times = 1 } = death;
  const crash = tree.crash(dying);
  await crash.arm(point, passing);
  try {
    tree.start(dying);
    const tries = Array.from({ length: times }, (_, n) => n + 1);
    for (const attempt of tries) {
      await cause?.();
      if (await dies(tree, death, attempt < times)) {
        break;
      }
    }
  } finally {
    await crash.disarm();
  }
  assert.equal((await crash.reached()).at(-1), point);
}

/** False: it lives on, and is to be caused again. @throws Error where it is not. */
async function dies(tree: Tree, { point, passing }: Death, again: boolean): Promise<boolean> {
  const dead = tree.until(() => !tree.process(dying).running, {
    what: `${dying} dies at ${point}, passing ${passing}`,
    ms: again ? 30_000 : 90_000,
    everyMs: 5,
  });
  if (!again) {
    await dead;
    return true;
  }
  return await dead.then(
    () => true,
    () => !tree.process(dying).running,
  );
}

/** Every node equals the approved rows of its subtree, everything is complete, nothing waits. */
export async function atRest(tree: Tree): Promise<void> {
  let left: readonly string[] = [];
  await tree
    .until(
      async () => {
        left = await unrest(tree.nodes);
        return left.length === 0 && (await isLevel(tree));
      },
      { what: 'all is level and at rest', ms: 150_000, everyMs: 200 },
    )
    .catch(async (cause: unknown) => {
      const differing = await tree.differences();
      throw new Error([...differing, ...left, String(cause)].join('\n'), { cause });
    });
}

function work(tree: Tree, random: Random): Background {
  const seed = random.fork('work').below(2 ** 32);
  const workload = new Workload({ seed, leaves: tree.leaves, pauseMs: 8 });
  return new Background(async (signal) => {
    await workload.run(signal);
  });
}

async function knowsUnfit(tree: Tree): Promise<boolean> {
  const found = await tree
    .node(dying)
    .database.query(`select from pg_constraint where conname = 'fit'`);
  return found.length > 0;
}
