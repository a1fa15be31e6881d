import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Relation } from '../pgoutput/messages.ts';
import type { Step } from '../pgoutput/part.ts';
import { change, relationOf, transactionOf } from '../testing/changes.ts';
import { defaultScope } from '../testing/stream-pair.ts';
import type { Layout } from './layout.ts';
import { segments } from './segment.ts';
import { Tally } from './tally.ts';

/** Only what cutting needs: the table's name and a stamped origin. */
function layoutOf(relation: Relation): Layout | null {
  return relation.name === 'outside'
    ? null
    : ({ table: `public.${relation.name}`, relation, origin: { kind: 'stamped' } } as Layout);
}

function cut(...steps: readonly Step[]): unknown[] {
  const tally = new Tally();
  const made = segments([transactionOf(steps)], {
    scope: defaultScope,
    layoutOf,
    isDrifted: () => false,
    tally,
    taking: { quiet: true, takes: () => true },
    refuse: () => assert.fail('nothing is refused here'),
  });
  return made.map((segment) =>
    segment.kind === 'truncate'
      ? `truncate ${segment.layouts.map(({ table }) => table).join()}`
      : segment.tables.map(({ layout, changes }) => `${layout.table} ${changes.length}`),
  );
}

const visit = relationOf(['id']);
const bed: Relation = { ...relationOf(['id']), name: 'bed', oid: 2 };
const insert = (relation: Relation, ...row: string[]): Step =>
  change('insert', relation, { new: row });
const truncate: Step = {
  kind: 'truncate',
  relations: [visit],
  cascade: false,
  restartIdentity: false,
};

void test('changes of a table go together whatever stands between them', () => {
  assert.deepEqual(cut(insert(visit, 'a'), insert(bed, 'b'), insert(visit, 'c')), [
    ['public.visit 2', 'public.bed 1'],
  ]);
});

void test('a truncate is a barrier', () => {
  assert.deepEqual(cut(insert(visit, 'a'), truncate, insert(visit, 'b')), [
    ['public.visit 1'],
    'truncate public.visit',
    ['public.visit 1'],
  ]);
});

void test('a relation sent again unchanged is no barrier; one of another shape is', () => {
  const again = relationOf(['id']);
  const wider = relationOf(['id', 'note']);
  assert.deepEqual(cut(insert(visit, 'a'), insert(again, 'b'), insert(wider, 'c', 'd')), [
    ['public.visit 2'],
    ['public.visit 1'],
  ]);
});

void test('relations outside the set are left out', () => {
  assert.deepEqual(cut(insert({ ...visit, name: 'outside' }, 'a'), insert(visit, 'b')), [
    ['public.visit 1'],
  ]);
});
