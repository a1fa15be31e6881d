import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions, UsageError } from './options.ts';

void test('without arguments it runs until it is stopped, without a verdict', () => {
  const options = parseOptions([]);
  assert.equal(options.seconds, null);
  assert.equal(options.json, false);
  assert.equal(options.ports, null);
});

void test('the flags of a run with a verdict are read', () => {
  const options = parseOptions(['--for', '60', '--json', '--seed', '7', '--falsify']);
  assert.deepEqual(
    [options.seconds, options.json, options.seed, options.falsify, options.faults],
    [60, true, 7, true, true],
  );
});

for (const args of [
  ['--for', 'long'],
  ['--for', ''],
  ['--json'],
  ['--falsify'],
  ['--unknown'],
  ['--ports', '80'],
  ['stray'],
]) {
  void test(`wrong usage is refused with what to write: ${args.join(' ')}`, () => {
    assert.throws(() => parseOptions(args), UsageError);
  });
}
