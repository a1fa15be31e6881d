import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextState, streamStates, type StreamEvent, type StreamState } from './stream-state.ts';

const events = [
  'attempted',
  'described',
  'connected',
  'failed_passing',
  'failed_person',
  'found_paused',
  'woken',
] as const satisfies readonly StreamEvent[];

function walk(...steps: readonly StreamEvent[]): StreamState {
  return steps.reduce<StreamState>(nextState, 'starting');
}

void test('the good way: starting, proving, streaming', () => {
  assert.equal(walk('attempted'), 'starting');
  assert.equal(walk('attempted', 'described'), 'proving');
  assert.equal(walk('attempted', 'described', 'connected'), 'streaming');
});

void test('a stream that failed shows its failure through later attempts until it streams again', () => {
  const failed = ['attempted', 'failed_passing', 'attempted', 'described'] as const;
  assert.equal(walk(...failed), 'retrying');
  assert.equal(walk(...failed, 'connected'), 'streaming');
  assert.equal(walk('failed_person', 'woken', 'attempted', 'described'), 'person');
});

void test('from any state but stopped, each failure leads to its own state', () => {
  for (const state of streamStates.filter((state) => state !== 'stopped')) {
    assert.equal(nextState(state, 'failed_passing'), 'retrying');
    assert.equal(nextState(state, 'failed_person'), 'person');
    assert.equal(nextState(state, 'found_paused'), 'paused');
    assert.equal(nextState(state, 'ended'), 'stopped');
  }
});

void test('only a connection makes a stream streaming, whatever happened before', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events)), (steps) => {
      const state = walk(...steps);
      const last = steps.findLast((event) => event !== 'woken');
      assert.equal(state === 'streaming', last === 'connected');
    }),
  );
});
