import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admission, removal } from './admission.ts';

const scope = {
  provider: 'north',
  providerIsLeaf: false,
  subtree: new Set(['north', 'north_a', 'north_b']),
  elsewhere: new Set(['nation', 'south', 'south_a']),
  awaited: new Set(['north_b']),
  adopts: null,
};

void test('a row of the provider or of a node below it is its own', () => {
  assert.equal(admission(scope, 'north'), 'own');
  assert.equal(admission(scope, 'north_a'), 'own');
});

void test('a row of a node that comes by another way is rerouted', () => {
  assert.equal(admission(scope, 'south_a'), 'rerouted');
  assert.equal(admission(scope, 'nation'), 'rerouted');
});

void test('a row of nobody in the file is a violation', () => {
  assert.equal(admission(scope, 'west'), 'violation');
  assert.equal(admission(scope, ''), 'violation');
  assert.equal(admission(scope, null), 'violation');
});

void test('a row of a node that has come over and is awaited is taken, and not removed', () => {
  assert.equal(admission(scope, 'north_b'), 'own');
  assert.equal(removal(scope, 'north_b'), 'rerouted');
  assert.equal(removal(scope, 'north_a'), 'own');
  assert.equal(removal(scope, 'south_a'), 'rerouted');
  assert.equal(removal(scope, 'west'), 'violation');
  assert.equal(removal(scope, null), 'violation');
});
