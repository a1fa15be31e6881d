import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Change } from '../pgoutput/change.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { change, relationOf, type Value } from '../testing/changes.ts';
import { collapse, type Collapsed } from './collapse.ts';

const relation = relationOf(['id', 'note', 'body']);
const insert = (id: string, note: Value = 'n', body: Value = 'b'): Change =>
  change('insert', relation, { new: [id, note, body] });
const update = (id: string, note: Value = 'u', body?: Value): Change =>
  change('update', relation, { new: [id, note, body] });
const rename = (from: string, to: string, body?: Value): Change =>
  change('update', relation, { old: [from, null, null], new: [to, 'r', body] });
const remove = (id: string): Change => change('delete', relation, { old: [id, null, null] });

function values(tuple: Tuple): Value[] {
  return Array.from({ length: tuple.count }, (_, column) =>
    tuple.kind(column) === 'unchanged' ? undefined : (tuple.value(column)?.toString() ?? null),
  );
}

function shown(collapsed: Collapsed): Record<string, unknown> {
  return {
    deletes: collapsed.deletes.map(({ key }) => key),
    passing: collapsed.passing.map(({ key }) => key),
    updates: collapsed.updates.map(({ key, tuple }) => [key, ...values(tuple)]),
    inserts: collapsed.inserts.map(({ tuple }) => values(tuple)),
  };
}

function collapsed(...changes: readonly Change[]): Record<string, unknown> {
  return shown(collapse(changes, [0]));
}

const nothing = { deletes: [], passing: [], updates: [], inserts: [] };

void test('a row inserted and updated is inserted once, whole', () => {
  assert.deepEqual(collapsed(insert('a', 'n', 'big'), update('a', 'new')), {
    ...nothing,
    inserts: [['a', 'new', 'big']],
  });
});

void test('updates of a row are one, and keep what was sent before', () => {
  assert.deepEqual(collapsed(update('a', 'one', 'big'), update('a', 'two')), {
    ...nothing,
    updates: [['a', 'a', 'two', 'big']],
  });
});

void test('a delete of a renamed row deletes the row under its old key', () => {
  assert.deepEqual(collapsed(rename('a', 'b'), remove('b')), { ...nothing, deletes: ['a'] });
});

void test('a delete and a reinsert stay two steps', () => {
  assert.deepEqual(collapsed(remove('a'), insert('a')), {
    ...nothing,
    deletes: ['a'],
    inserts: [['a', 'n', 'b']],
  });
});

void test('a key change without its unchanged values stays an update', () => {
  assert.deepEqual(collapsed(rename('a', 'b')), {
    ...nothing,
    updates: [['a', 'b', 'r', undefined]],
  });
});

void test('a row made and removed is deleted in case it stands here', () => {
  assert.deepEqual(collapsed(insert('a'), remove('a')), { ...nothing, passing: ['a'] });
});

void test('a row made and removed under a key that was vacated does not delete the moved row', () => {
  assert.deepEqual(collapsed(rename('a', 'b'), insert('a'), remove('a')), {
    ...nothing,
    updates: [['a', 'b', 'r', undefined]],
  });
});

void test('an old tuple with an unchanged key, sent because a filter column changed, is no key change', () => {
  const same = change('update', relation, {
    old: ['a', 'draft', null],
    new: ['a', 'approved', undefined],
  });
  const [row] = collapse([same], [0]).updates;
  assert.equal(row?.keyChanged, false);
});

void test('composite keys are told apart whatever their bytes', () => {
  const two = relationOf(['a', 'b'], 2);
  const rows = [
    ['x\u0000', 'y'],
    ['x', '\u0000y'],
    ['xy', ''],
    ['', 'xy'],
  ].map((row) => change('insert', two, { new: row }));
  assert.equal(collapse(rows, [0, 1]).inserts.length, 4);
});

void test('two rows that share a key for a moment are not told apart', () => {
  assert.equal(collapse([update('b', 'x', 'y'), rename('a', 'b')], [0]).ambiguous, true);
});

void test('applied as deletes, updates, inserts it is the same as one change after the other', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 25 }), (operations) => {
      const naive = new Map<string, Stored>(
        ['a', 'b', 'c'].map((id) => [id, { note: 'old', body: 'old', local: 'kept' }]),
      );
      const start = new Map(naive);
      const changes = operations.flatMap((each) => perform(naive, each));
      assert.deepEqual(sorted(applySets(start, collapse(changes, [0]))), sorted(naive));
    }),
    { numRuns: 3000 },
  );
});

interface Stored {
  readonly note: Value;
  readonly body: Value;
  /** A column of the subscriber only: back to its default when the row is made anew. */
  readonly local: 'kept' | 'default';
}

interface Operation {
  readonly kind: 'insert' | 'update' | 'rename' | 'delete';
  readonly id: string;
  readonly to: string;
  readonly note: string;
  /** undefined: unchanged. */
  readonly body: string | undefined;
}

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const operation = fc.record<Operation>({
  kind: fc.constantFrom('insert', 'update', 'rename', 'delete'),
  id: name,
  to: name,
  note: fc.string({ maxLength: 2 }),
  body: fc.option(fc.string({ maxLength: 2 }), { nil: undefined }),
});

/** Performs the operation on the model if it is possible there, and returns what a provider would send. */
function perform(rows: Map<string, Stored>, { kind, id, to, note, body }: Operation): Change[] {
  const row = rows.get(id);
  switch (kind) {
    case 'insert':
      if (row) {
        return [];
      }
      rows.set(id, { note, body: body ?? '', local: 'default' });
      return [insert(id, note, body ?? '')];
    case 'delete':
      return rows.delete(id) ? [remove(id)] : [];
    case 'update':
    case 'rename': {
      const target = kind === 'update' ? id : to;
      if (!row || (target !== id && rows.has(target))) {
        return [];
      }
      rows.delete(id);
      rows.set(target, { note, body: body ?? row.body, local: row.local });
      return [
        change('update', relation, {
          ...(kind === 'rename' ? { old: [id, null, null] } : {}),
          new: [target, note, body],
        }),
      ];
    }
    default:
      return kind satisfies never;
  }
}

/** What the three sets do to a table, each at once. */
function applySets(rows: Map<string, Stored>, sets: Collapsed): Map<string, Stored> {
  assert.equal(sets.ambiguous, false);
  for (const { key } of [...sets.deletes, ...sets.passing]) {
    rows.delete(key);
  }
  const before = sets.updates.map((update) => {
    const row = rows.get(update.key);
    assert.ok(row, 'a row to update stands there');
    rows.delete(update.key);
    return row;
  });
  sets.updates.forEach(({ tuple }, index) => {
    const [id, note, body] = values(tuple);
    const row = before[index];
    assert.ok(row && !rows.has(id ?? ''));
    rows.set(id ?? '', { note, body: body ?? row.body, local: row.local });
  });
  for (const { tuple } of sets.inserts) {
    const [id, note, body] = values(tuple);
    assert.ok(!rows.has(id ?? ''));
    rows.set(id ?? '', { note, body, local: 'default' });
  }
  return rows;
}

function sorted(rows: Map<string, Stored>): unknown[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
}
