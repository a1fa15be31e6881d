import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lsn } from '../testing/arbitrary-messages.ts';
import { formatLsn, parseLsn } from './lsn.ts';

void test('a position reads back from its text', () => {
  fc.assert(
    fc.property(lsn, (position) => {
      assert.equal(parseLsn(formatLsn(position)), position);
    }),
  );
  assert.equal(formatLsn(parseLsn('16/b374d848')), '16/B374D848');
});

void test('anything else is not a position', () => {
  for (const text of ['', '1', '1/', '/1', '1/123456789', '1/2/3', 'g/1', ' 1/2']) {
    assert.throws(() => parseLsn(text), RangeError);
  }
});
