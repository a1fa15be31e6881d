import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TributaryError } from '../errors.ts';
import { environment } from './environment.ts';

void test('nothing set means nothing chosen, and a log level of info', () => {
  assert.deepEqual(environment({}), { topology: null, node: null, logLevel: 'info' });
  assert.deepEqual(environment({ TRIBUTARY_NODE: '', TRIBUTARY_LOG_LEVEL: '' }).node, null);
});

void test('topology, node and log level are read', () => {
  assert.deepEqual(
    environment({
      TRIBUTARY_TOPOLOGY: 'a.yaml',
      TRIBUTARY_NODE: 'north',
      TRIBUTARY_LOG_LEVEL: 'debug',
    }),
    { topology: 'a.yaml', node: 'north', logLevel: 'debug' },
  );
});

void test('a log level that is none is refused with those that are', () => {
  assert.throws(
    () => environment({ TRIBUTARY_LOG_LEVEL: 'loud' }),
    (error) =>
      error instanceof TributaryError &&
      error.code === 'usage' &&
      error.context['allowed'] === 'debug, info, warn, error',
  );
});
