import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { faults } from './fault-list.ts';
import { mutate, readReport } from './fault.ts';

const root = join(import.meta.dirname, '..', '..');

for (const fault of faults) {
  void test(`the fault list is not stale: ${fault.name}`, async () => {
    for (const edit of fault.edits) {
      mutate(await readFile(join(root, edit.file), 'utf8'), edit);
    }
    const guard = await readFile(join(root, fault.test.file), 'utf8');
    assert.ok(guard.includes(fault.test.title), `no test "${fault.test.title}"`);
  });
}

void test('a snippet is replaced where it stands once', () => {
  assert.equal(mutate('a b c', { file: 'x', find: 'b', replace: 'd' }), 'a d c');
});

void test('a snippet that stands nowhere or twice is refused', () => {
  assert.throws(() => mutate('a b c', { file: 'x', find: 'd', replace: '' }), /no longer/);
  assert.throws(() => mutate('a b b', { file: 'x', find: 'b', replace: '' }), /more than once/);
});

void test('a report says which tests of the title failed, and what the first one said', () => {
  const tap = [
    'TAP version 13',
    '# Subtest: rows stay',
    'ok 1 - rows stay on 15',
    '  ---',
    '  ...',
    'not ok 2 - rows stay on 18',
    '  ---',
    "  location: '/x.test.ts:1:1'",
    "  error: 'a row is missing'",
    '  ...',
    'not ok 3 - something else',
    'ok 4 - rows stay nowhere # SKIP',
  ].join('\n');
  assert.deepEqual(readReport(tap, 'rows stay'), {
    passed: 1,
    failed: ['rows stay on 18'],
    said: 'a row is missing',
  });
});

void test('a file that can not be loaded is not a test that failed', () => {
  const tap = "not ok 1 - node/x.test.ts\n  ---\n  error: 'test failed'\n  ...\n";
  assert.deepEqual(readReport(tap, 'rows stay').failed, []);
});
