/** What is known of the stream while ranges are read beside it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noLsn } from '../pgoutput/lsn.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Step, Transaction } from '../pgoutput/part.ts';
import { parseSnapshot } from '../provider/snapshot.ts';
import type { Block, Key } from '../provider/reader.ts';
import { cut } from './compare-walk.ts';
import { KeyTuple } from './key-identity.ts';
import { inOrder } from './table-order.ts';
import type { TablePlan } from './table-plan.ts';
import { Trail } from './trail.ts';

const relation: Relation = {
  kind: 'relation',
  oid: 1,
  schema: 'public',
  name: 'item',
  replicaIdentity: 'd',
  columns: [
    { name: 'note', identity: false, typeOid: 25, typeModifier: -1 },
    { name: 'code', identity: true, typeOid: 25, typeModifier: -1 },
  ],
};
const table = { schema: 'public', name: 'item', key: ['code'] };
const plan: TablePlan = {
  relation,
  read: { ...table, columns: ['note', 'code'] },
  compared: { ...table, columns: ['note', 'code'] },
  keyIndexes: [1],
  keyTypeOids: [25],
  originColumn: 'tributary_origin',
};

function tuple(text: string): KeyTuple {
  return new KeyTuple([text], plan, 'text');
}

function block(range: number, last: string, count: number): Block {
  return { range, lastKey: [last], count, digest: BigInt(count) };
}

function ends(after: Key | null, upto: Key | null): unknown {
  return { after, upto };
}

function step(kind: 'insert' | 'update', key: string, old?: string): Step {
  return {
    kind,
    relation,
    message: Buffer.alloc(0),
    old: old === undefined ? null : tuple(old),
    oldIsWhole: false,
    new: tuple(key),
  };
}

function transaction(xid: number, ...changes: Step[]): Transaction {
  return { xid, commitLsn: noLsn, endLsn: noLsn, commitTime: 0n, changes };
}

const whole = { spooled: false };

void test("keys touched by what the snapshot does not see are the stream's, the others are not", () => {
  const trail = new Trail();
  trail.rebase(new Set());
  using watch = trail.watch(table);
  trail.observe([transaction(7, step('insert', 'seen'))], whole);
  trail.observe([transaction(9, step('insert', 'running'))], whole);
  trail.observe([transaction(12, step('update', 'new', 'old'))], whole);
  const snapshot = parseSnapshot('9:11:9');
  assert.deepEqual(watch.touched(snapshot), new Set(['running', 'old', 'new']));
});

void test('a snapshot is of use only when it sees everything applied before the watch began', () => {
  const trail = new Trail();
  trail.rebase(new Set([5]));
  trail.observe([transaction(9, step('insert', 'a'))], whole);
  using watch = trail.watch(table);
  trail.observe([transaction(20, step('insert', 'b'))], whole);
  assert.equal(trail.isSeen(parseSnapshot('5:11:5'), watch), false, 'one that ran at the start');
  assert.equal(trail.isSeen(parseSnapshot('9:11:9'), watch), false, 'one applied here');
  assert.equal(trail.isSeen(parseSnapshot('11:11:'), watch), true);
  using later = trail.watch(table);
  assert.deepEqual([...later.before], [20], 'what was seen is forgotten');
});

void test('after a new slot, what runs at the provider counts, and what an earlier server ran does not', () => {
  const trail = new Trail();
  trail.rebase(new Set());
  trail.observe([transaction(4_000_000, step('insert', 'of another server'))], whole);
  trail.restart();
  assert.equal(trail.based, false);
  trail.rebase(new Set([7]));
  using watch = trail.watch(table);
  assert.equal(trail.isSeen(parseSnapshot('7:11:7'), watch), false);
  assert.equal(trail.isSeen(parseSnapshot('11:11:'), watch), true);
});

void test('from the part on that changes the publication, no snapshot is of use before what ran then has ended', () => {
  const trail = new Trail();
  trail.rebase(new Set());
  const { era } = trail;
  trail.observe(
    [
      transaction(3, {
        kind: 'message',
        transactional: true,
        lsn: noLsn,
        prefix: 'tributary',
        content: Buffer.from('publication'),
      }),
    ],
    whole,
  );
  assert.equal(trail.based, false);
  trail.rebase(new Set(), era);
  assert.equal(trail.based, false, 'that was asked before the part came');
  trail.rebase(new Set([2]));
  using watch = trail.watch(table);
  assert.equal(trail.isSeen(parseSnapshot('2:4:2'), watch), false);
  assert.equal(trail.isSeen(parseSnapshot('4:4:'), watch), true);
});

void test('a transaction larger than memory, a truncate and too many keys send the reader back', () => {
  const trail = new Trail();
  trail.rebase(new Set());
  const snapshot = parseSnapshot('1:1:');
  {
    using watch = trail.watch(table);
    trail.observe([transaction(3, step('insert', 'a'))], { spooled: true });
    assert.equal(watch.touched(snapshot), 'all');
  }
  {
    using watch = trail.watch(table);
    trail.observe(
      [
        transaction(4, {
          kind: 'truncate',
          relations: [relation],
          cascade: false,
          restartIdentity: false,
        }),
      ],
      whole,
    );
    assert.equal(watch.touched(snapshot), 'all');
    assert.deepEqual(watch.touched(parseSnapshot('9:9:')), new Set());
  }
  using watch = trail.watch(table);
  const many = Array.from({ length: 50_001 }, (_, n) => step('insert', String(n)));
  trail.observe([transaction(5, ...many)], whole);
  assert.equal(watch.touched(snapshot), 'all');
});

void test('blocks cut a range so that its last piece reaches to its end', () => {
  const pieces = cut(
    [
      { after: null, upto: ['m'] },
      { after: ['m'], upto: null },
    ],
    [block(0, 'c', 2), block(0, 'k', 1)],
  );
  assert.deepEqual(
    pieces.map(({ after, upto }) => ({ after, upto })),
    [ends(null, ['c']), ends(['c'], ['m']), ends(['m'], null)],
  );
  assert.deepEqual(
    pieces.map(({ count }) => count),
    [2, 1, 0],
  );
});

void test('referenced tables come first, small ones before large ones, circles have an end', () => {
  const names = inOrder([
    { name: 'result', estimated: 1, refersTo: ['report'] },
    { name: 'report', estimated: 100, refersTo: ['place', 'report'] },
    { name: 'place', estimated: 50, refersTo: [] },
    { name: 'small', estimated: 10, refersTo: [] },
    { name: 'egg', estimated: 3, refersTo: ['hen'] },
    { name: 'hen', estimated: 4, refersTo: ['egg'] },
  ]).map(({ name }) => name);
  assert.deepEqual(names, ['small', 'place', 'report', 'result', 'egg', 'hen']);
});
