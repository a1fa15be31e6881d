import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lsn } from '../pgoutput/lsn.ts';
import { CutCount } from './cut-count.ts';

const at = (value: number): Lsn => BigInt(value) as Lsn;

void test('a transaction whose link is cut five times is left to a comparison', () => {
  const cuts = new CutCount();
  for (let time = 0; time < 5; time += 1) {
    assert.equal(cuts.doubt, null);
    cuts.failed('link_cut', at(7));
    cuts.failed('provider_unreachable', null);
  }
  assert.deepEqual(cuts.doubt, { name: 'transaction_cut', detail: { commit: '0/7', cuts: 5 } });
  cuts.forget();
  assert.equal(cuts.doubt, null);
});

void test('cuts of other transactions, and other failures, do not count together', () => {
  const cuts = new CutCount();
  for (let time = 0; time < 9; time += 1) {
    cuts.failed('link_cut', at(time));
    cuts.failed('link_cut', null);
    cuts.failed('disk_full', at(time));
  }
  assert.equal(cuts.doubt, null);
});
