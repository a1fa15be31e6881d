import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Doubt, DoubtName } from './provider.ts';
import { remedyOf } from './remedy.ts';

function remedy(names: readonly DoubtName[], witnessed = true): string {
  return remedyOf(
    names.map((name): Doubt => ({ name, detail: {} })),
    { witnessed },
  );
}

void test('a slot or a publication that is another one is mended, where the provider is provably the same', () => {
  assert.equal(remedy(['slot_lost']), 'mend');
  assert.equal(remedy(['slot_missing', 'publication_recreated']), 'mend');
  assert.equal(remedy(['slot_ahead']), 'mend');
  assert.equal(remedy(['transaction_cut']), 'mend');
});

void test('one sign of an older or another database outweighs all that could be mended', () => {
  for (const name of [
    'system_identifier_differs',
    'timeline_forked',
    'log_behind',
    'witness_missing',
    'log_differs',
  ] as const) {
    assert.equal(remedy(['slot_missing', name]), 'rewound');
  }
});

void test('without a witness what tells nothing of the database behind it is not mended', () => {
  for (const name of ['slot_missing', 'slot_ahead', 'publication_recreated'] as const) {
    assert.equal(remedy([name], false), 'rewound');
  }
  assert.equal(remedy(['slot_lost'], false), 'mend');
});

void test("a database that is not the child's is left to a person, whatever else is found", () => {
  assert.equal(remedy(['node_name_differs', 'slot_missing', 'witness_missing']), 'person');
  assert.equal(remedy(['publication_missing', 'slot_lost']), 'person');
  assert.equal(remedy(['slot_foreign']), 'person');
});
