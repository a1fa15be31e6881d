import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodes, report, type Evidence } from './report.ts';

const enough = {
  insert_draft: 900,
  approve: 800,
  edit: 900,
  withdraw: 700,
  approve_again: 600,
  delete: 500,
};

const evidence: Evidence = {
  seed: 1,
  comparison: { levels: [], differences: [] },
  levelReached: true,
  falsified: false,
  transitions: enough,
  transactions: 1000,
  faults: { cuts: 3, nodeKills: 1, databaseKills: 1 },
  faultsWanted: true,
  rate: 1,
  unexpectedExits: 0,
  seconds: { start: 10, load: 60, level: 5, total: 80 },
};

const difference = {
  place: 'kivara',
  table: 'case_report',
  missing: 0,
  surplus: 0,
  unequal: 1,
  columns: false,
};

function verdictOf(changes: Partial<Evidence>): [string, number] {
  const { verdict } = report({ ...evidence, ...changes });
  return [verdict, exitCodes[verdict]];
}

void test('no difference after enough has happened is equal, exit 0', () => {
  assert.deepEqual(verdictOf({}), ['equal', 0]);
});

void test('one differing key is different, exit 1', () => {
  const comparison = { levels: [], differences: [difference] };
  assert.deepEqual(verdictOf({ comparison }), ['different', 1]);
});

void test('levels that were never reached in time are different', () => {
  assert.deepEqual(verdictOf({ levelReached: false }), ['different', 1]);
});

void test('equal rows after too few transitions, cuts or kills prove nothing, exit 3', () => {
  assert.deepEqual(verdictOf({ transitions: { ...enough, delete: 499 } }), ['insufficient', 3]);
  assert.deepEqual(verdictOf({ faults: { cuts: 2, nodeKills: 1, databaseKills: 1 } }), [
    'insufficient',
    3,
  ]);
  assert.deepEqual(verdictOf({ faults: { cuts: 3, nodeKills: 1, databaseKills: 0 } }), [
    'insufficient',
    3,
  ]);
});

void test('a difference outweighs that too little happened', () => {
  const comparison = { levels: [], differences: [difference] };
  assert.deepEqual(verdictOf({ comparison, transitions: { ...enough, edit: 0 } }), [
    'different',
    1,
  ]);
});

void test('a run without faults demands none, a short one fewer transitions', () => {
  const none = { cuts: 0, nodeKills: 0, databaseKills: 0 };
  assert.deepEqual(verdictOf({ faults: none, faultsWanted: false }), ['equal', 0]);
  const few = { ...enough, delete: 100 };
  assert.deepEqual(verdictOf({ transitions: few, seconds: { ...evidence.seconds, load: 10 } }), [
    'equal',
    0,
  ]);
});
