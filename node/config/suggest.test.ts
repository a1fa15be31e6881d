import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest, oneOf } from './suggest.ts';

void test('a slip of the hand finds the word that was meant', () => {
  const fields = ['parent', 'provider', 'level', 'database'];
  assert.equal(nearest('parnet', fields), 'parent');
  assert.equal(nearest('Provider', fields), 'provider');
  assert.equal(nearest('levl', fields), 'level');
  assert.equal(nearest('dtabse', fields), 'database');
});

void test('a word that is far from all others finds none', () => {
  assert.equal(nearest('zone', ['parent', 'level']), null);
  assert.equal(nearest('x', []), null);
});

void test('a list reads as a sentence and is cut when long', () => {
  assert.equal(oneOf(['a']), 'a');
  assert.equal(oneOf(['a', 'b', 'c']), 'a, b or c');
  assert.match(oneOf(Array.from({ length: 40 }, (_, i) => `n${i}`)), /n10 or one of 29 more$/);
});
