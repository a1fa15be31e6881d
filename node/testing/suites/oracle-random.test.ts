/**
 * Random workloads against both oracles: by default a share of them on each pair of majors 15 and 18. At length:
 * `npm run suite -- oracle-random --workloads 300 --majors=15,18`; `--seed N` repeats a run.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Oracle, type Pair } from '../oracle/oracle.ts';
import { pairName, pairs } from '../oracle/pairs.ts';
import { type Plan, plans } from '../oracle/workload-plan.ts';
import { WorkloadRun } from '../oracle/workload-run.ts';
import { workloadTopic } from '../oracle/workload-topic.ts';

const workloads = Number(process.env['TEST_WORKLOADS'] ?? 10);
const seed = Number(process.env['TEST_SEED'] ?? 20_260_101);

const all: readonly Pair[] = [
  { provider: 15, subscriber: 15 },
  { provider: 18, subscriber: 18 },
  { provider: 15, subscriber: 18 },
  { provider: 18, subscriber: 15 },
];

for (const pair of pairs(all)) {
  void test(`${pairName(pair)}: ${workloads} random workloads leave every copy equal`, async (context) => {
    await using bench = new Bench(pair);
    const started = performance.now();
    const result = await fc.check(
      fc.asyncProperty(plans, async (plan) => await bench.holds(plan)),
      { seed, numRuns: workloads, endOnFailure: true },
    );
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    context.diagnostic(
      `${pairName(pair)}: seed ${seed}, ${result.numRuns} workloads, ${seconds} s`,
    );
    if (result.failed) {
      const { counterexamplePath, counterexample, errorInstance } = result;
      const detail = JSON.stringify(counterexample);
      throw new Error(`seed ${seed}, path ${counterexamplePath}: ${detail}`, {
        cause: errorInstance,
      });
    }
  });
}

/** Databases for many workloads; new ones after one that failed, whose copies may differ from then on. */
class Bench implements AsyncDisposable {
  readonly #pair: Pair;
  #stack: AsyncDisposableStack | null = null;
  #run: WorkloadRun | null = null;

  constructor(pair: Pair) {
    this.#pair = pair;
  }

  async holds(plan: Plan): Promise<void> {
    const run = this.#run ?? (await this.#open());
    try {
      assert.deepEqual(await run.play(plan), { faults: [], native: [] });
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack?.disposeAsync();
    this.#stack = null;
    this.#run = null;
  }

  async #open(): Promise<WorkloadRun> {
    const stack = new AsyncDisposableStack();
    this.#stack = stack;
    const oracle = stack.use(await Oracle.create({ pair: this.#pair, topics: [workloadTopic] }));
    this.#run = stack.use(await WorkloadRun.open(oracle));
    return this.#run;
  }
}
