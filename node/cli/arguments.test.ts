import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TributaryError } from '../errors.ts';
import { commandLine } from './arguments.ts';

void test('a command with its options', () => {
  assert.deepEqual(commandLine(['wait', '--stream', 'north', '--timeout=5', '--node', 'nation']), {
    command: 'wait',
    words: [],
    options: { stream: 'north', timeout: '5', node: 'nation', __proto__: null },
  });
  assert.deepEqual(commandLine(['topology', 'print']).words, ['print']);
});

void test('nothing, -h and --help ask for help, --version for the version', () => {
  for (const args of [[], ['-h'], ['--help'], ['help'], ['run', '--help']]) {
    assert.equal(commandLine(args).command, 'help');
  }
  assert.equal(commandLine(['--version']).command, 'version');
});

for (const args of [
  ['walk'],
  ['toString'],
  ['run', '--fast'],
  ['run', 'now'],
  ['status', '--json=maybe'],
  ['wait', '--stream'],
  ['topology'],
  ['topology', 'print', 'twice'],
]) {
  void test(`a wrong command line says what is wrong: ${args.join(' ')}`, () => {
    assert.throws(
      () => commandLine(args),
      (error) => error instanceof TributaryError && error.code === 'usage',
    );
  });
}
