import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planFaults } from './plan.ts';

const places = ['kivara', 'highlands', 'coast', 'amboro', 'selume', 'lowabay', 'marendi'];
const runs = fc.record({
  seed: fc.nat(),
  seconds: fc.integer({ min: 5, max: 3600 }),
});

void test('every run has three cuts, and a node and a database killed', () => {
  fc.assert(
    fc.property(runs, ({ seed, seconds }) => {
      const faults = planFaults({ seed, seconds, places });
      const of = (kind: string): number => faults.filter((fault) => fault.kind === kind).length;
      assert.ok(of('cut') >= 3);
      assert.ok(of('kill_node') >= 1 && of('kill_database') >= 1);
    }),
  );
});

void test('every fault begins and ends within nine tenths of the run, and the nation has no link to cut', () => {
  fc.assert(
    fc.property(runs, ({ seed, seconds }) => {
      for (const fault of planFaults({ seed, seconds, places })) {
        assert.ok(fault.at >= 0 && fault.at + fault.lastsSeconds <= seconds * 0.9 + 1e-6);
        assert.ok(fault.kind !== 'cut' || fault.place !== 'kivara');
      }
    }),
  );
});

void test('the seed decides the plan', () => {
  assert.equal(plan(5), plan(5));
  assert.notEqual(plan(5), plan(6));
});

function plan(seed: number): string {
  return JSON.stringify(planFaults({ seed, seconds: 60, places }));
}
