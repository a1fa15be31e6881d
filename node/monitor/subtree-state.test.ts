import assert from 'node:assert/strict';
import { test } from 'node:test';
import { subtreeState } from './subtree-state.ts';

const nothing = {
  disk: null,
  log: { directory: null, slots: [] },
  streams: {},
  forecast: { disk: null, offline: null },
  probes: [],
  findings: [],
};

const slot = { name: 'tributary_north', active: true, status: 'reserved', retained: 5, safe: null };

void test('a heartbeat of this version is read whole', () => {
  const state = {
    disk: { total: 10, free: 4 },
    log: { directory: 3, slots: [slot] },
    streams: { district_a: { state: 'person', code: 'doubt' } },
    forecast: { disk: null, offline: 86_400.5 },
    probes: [{ name: 'web', up: false, certificate: '2026-12-01T00:00:00.000Z' }],
    findings: [{ code: 'identity_lost', object: 'public.case_report', severity: 'error' }],
  };
  assert.deepEqual(subtreeState(state), {
    ...state,
    streams: { district_a: { state: 'person' } },
    findings: [{ code: 'identity_lost', severity: 'error' }],
  });
});

void test('what another version wrote is left out part by part', () => {
  for (const state of [null, 'text', 7, [], {}]) {
    assert.deepEqual(subtreeState(state), nothing);
  }
  assert.deepEqual(
    subtreeState({ disk: { total: 'all', free: 4 }, log: { slots: [slot] }, streams: 4 }),
    { ...nothing, log: { directory: null, slots: [slot] } },
  );
});

void test('labels made of what a child says are bounded in number and length', () => {
  const many = Array.from({ length: 100 }, (_, index) => [`s${index}`, { state: 'streaming' }]);
  const state = subtreeState({ streams: Object.fromEntries(many) });
  assert.equal(Object.keys(state.streams).length, 64);
  const long = { ...slot, name: 'x'.repeat(101) };
  assert.deepEqual(subtreeState({ log: { directory: 1, slots: [long] } }).log.slots, []);
});
