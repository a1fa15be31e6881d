/**
 * Every crash point of the source is reached by a process that dies there as by kill -9, under work, and survived: once
 * it has been started again, every node equals the approved rows of its subtree, no position has moved back, and nothing
 * is left waiting. The long form: `npm run suite -- crash-points --seeds 20`.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Background } from '../background.ts';
import { crashPoints } from '../crash-points.ts';
import { type Death, openStage } from '../crash-stage.ts';
import { type CommonStory, stories, type Story } from '../crash-stories.ts';
import { PositionWatch } from '../position-watch.ts';
import { Random } from '../random.ts';
import type { Tree } from '../tree.ts';

const seeds = Number(process.env['TEST_SEEDS'] ?? 1);
const firstSeed = Random.seedOfRun();
const survived = new Set<string>();

let common: Tree | null = null;

after(async () => {
  await common?.[Symbol.asyncDispose]();
});

survives('a process that dies while a part is carried', stories.parts);
survives('a process that dies while the heartbeat is written', stories.heartbeat);
survives('a process that dies while keys are parked', stories.parking);
survives('a process that dies while parked keys are tried again', stories.retry);
survives('a process that dies while a huge transaction is spooled and applied', stories.huge);
survives('a process that dies while a table is copied', stories.copy);
survives('a process that dies while a table is compared and mended', stories.compare);
survives('a process that dies while tables are verified', stories.verify);
survives('a process that dies while a slot that is gone is made anew', stories.slotDropped);
survives('a process that dies while a strange slot gives place to a new one', stories.slotAgain);
survives('a process that dies while a slot that nobody uses is dropped', stories.unusedSlot);
survives('a process that dies at the first contact with a district', stories.firstContact);
survives('a process that dies while a database is prepared', stories.preparing);
survives(
  'a process that dies while a district that went back in time is looked over',
  stories.wentBack,
);
survives('a process that dies while rows are given back to a district', stories.givingBack);

void test('every crash point of the source was reached and survived', async () => {
  const names = (await crashPoints()).map(({ name }) => name);
  assert.deepEqual([...survived].sort(), names.sort());
});

function survives(title: string, story: Story): void {
  for (const [point, passings] of Object.entries(story.points)) {
    void test(`${title}: ${point}`, async () => {
      for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
        const random = new Random(seed).fork(`${title} ${point}`);
        const death = { point, passing: 1 + random.below(passings), random };
        try {
          await (story.common ? inCommonTree(story, death) : story.scene(death));
        } catch (cause) {
          throw new Error(`seed ${seed}, passing ${death.passing}: ${String(cause)}`, { cause });
        }
      }
      survived.add(point);
    });
  }
}

/** One that was left in disorder is not used again. */
async function inCommonTree({ scene, newSlot = false }: CommonStory, death: Death): Promise<void> {
  const tree = (common ??= await openStage());
  const watch = new PositionWatch(tree, { newSlots: newSlot });
  try {
    await using watching = new Background(async (signal) => {
      await watch.run(signal);
    });
    await scene(tree, death);
    await watching.stop();
  } catch (error) {
    common = null;
    await tree[Symbol.asyncDispose]();
    throw error;
  }
  assert.deepEqual(watch.breaches, []);
}
