/** Nothing lost, nothing twice: whatever is killed or cut, at whatever instant, under load. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { Background } from '../background.ts';
import { chooseBlow, type Landed, mend, strike } from '../blow.ts';
import { PositionWatch } from '../position-watch.ts';
import { Random } from '../random.ts';
import { Tree } from '../tree.ts';
import { Workload } from '../workload.ts';

const rounds = Number(process.env['TEST_ROUNDS'] ?? 12);
const roundsPerCheck = 6;
/** At least half of the blows of a long run land while something is applied or queued; a dozen are too few to say. */
const share = rounds >= 100 ? 0.5 : 0.2;

const parents = {
  nation: null,
  north: 'nation',
  district_a: 'north',
  district_b: 'north',
} as const;

void test(`${rounds} rounds of kill -9 and cut links lose nothing and repeat nothing`, async (t) => {
  const seed = Random.seedOfRun();
  t.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  await using tree = await Tree.create({ parents });
  const watch = new PositionWatch(tree);
  await using watching = new Background(async (signal) => {
    await watch.run(signal);
  });
  const landed: Landed[] = [];
  const done: Record<string, number> = {};
  let doubles = 0;
  for (let round = 0; round < rounds;) {
    const leg = Math.min(roundsPerCheck, rounds - round);
    const workload = new Workload({
      seed: random.below(2 ** 32),
      leaves: tree.leaves,
      clerksPerLeaf: 3,
      pauseMs: 2,
    });
    await using working = new Background(async (signal) => {
      await workload.run(signal);
    });
    for (let at = 0; at < leg; at += 1) {
      // 30 in 200.
      const double = random.chance(0.15);
      doubles += double ? 1 : 0;
      landed.push(...(await hurt(tree, random, double ? 2 : 1)));
    }
    await working.stop();
    await tree.waitLevel(240_000);
    round += leg;
    for (const [action, count] of Object.entries(workload.counts)) {
      done[action] = (done[action] ?? 0) + count;
    }
  }
  await watching.stop();
  report(t, { landed, doubles, done, watch });
  assert.deepEqual(watch.breaches, []);
  assert.ok(
    landed.filter(({ busy }) => busy).length >= landed.length * share,
    'enough of the blows land while something is applied or queued',
  );
});

/** One round: so many blows at once, a pause, everything mended, every stream taken up again. */
async function hurt(tree: Tree, random: Random, blows: number): Promise<Landed[]> {
  const chosen = Array.from({ length: blows }, () => chooseBlow(tree, random));
  const landed = await Promise.all(
    chosen.map(async (blow) => await strike(tree, blow, random.fork(blow.node + blow.kind))),
  );
  await pause(random.below(400));
  await Promise.all(
    landed.map(async (blow) => {
      await mend(tree, blow);
    }),
  );
  await tree.streaming();
  return landed;
}

function report(
  t: TestContext,
  seen: {
    landed: readonly Landed[];
    doubles: number;
    done: Readonly<Record<string, number>>;
    watch: PositionWatch;
  },
): void {
  const kinds: Record<string, number> = {};
  for (const { kind, busy } of seen.landed) {
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    kinds[`${kind} while applying`] = (kinds[`${kind} while applying`] ?? 0) + (busy ? 1 : 0);
  }
  t.diagnostic(
    `${seen.landed.length} blows, ${seen.doubles} rounds with two at once: ${JSON.stringify(kinds)}`,
  );
  t.diagnostic(`work: ${JSON.stringify(seen.done)}`);
  t.diagnostic(`positions read ${seen.watch.looks} times`);
}
