import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StartGate } from './start-gate.ts';

const long = 60_000;
const never = new AbortController().signal;

/** Whether it has come to pass by the time everything that could happen at once has happened. */
async function has(promise: Promise<unknown>): Promise<boolean> {
  const later = new Promise<boolean>((resolve) => {
    setImmediate(() => resolve(false));
  });
  return await Promise.race([promise.then(() => true), later]);
}

void test('a place is passed on in the order of asking, and once', async () => {
  const gate = new StartGate(2);
  const first = await gate.enter(long, never);
  const second = await gate.enter(long, never);
  const third = gate.enter(long, never);
  const fourth = gate.enter(long, never);
  assert.equal(await has(third), false);
  first?.leave();
  first?.leave();
  assert.equal(await has(third), true);
  assert.equal(await has(fourth), false);
  second?.leave();
  assert.equal(await has(fourth), true);
  (await third)?.leave();
  (await fourth)?.leave();
  assert.ok(await gate.enter(long, never));
});

void test('one that is told to stop waits no longer and takes nothing', async () => {
  const gate = new StartGate(1);
  const first = await gate.enter(long, never);
  const stop = new AbortController();
  const stopped = gate.enter(long, stop.signal);
  const next = gate.enter(long, never);
  stop.abort();
  assert.equal(await stopped, null);
  assert.equal(await gate.enter(long, stop.signal), null);
  first?.leave();
  assert.ok(await next);
});

void test('a place ends by itself, later where it is kept for longer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const gate = new StartGate(1);
  const first = await gate.enter(2000, never);
  const second = gate.enter(2000, never);
  const third = gate.enter(2000, never);
  t.mock.timers.tick(1999);
  assert.equal(await has(second), false);
  first?.keep(5000);
  t.mock.timers.tick(4999);
  assert.equal(await has(second), false);
  t.mock.timers.tick(1);
  assert.equal(await has(second), true);
  first?.leave();
  first?.keep(1);
  t.mock.timers.tick(1999);
  assert.equal(await has(third), false);
  t.mock.timers.tick(1);
  assert.equal(await has(third), true);
});
