import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { row } from '../testing/arbitrary-messages.ts';
import { Assembler } from './assembler.ts';
import type { Assembled } from './assembler.ts';
import { encodeMessage, encodeRow, valuesOf } from './encode.ts';
import type { Row } from './encode.ts';
import type { Lsn } from './lsn.ts';
import type { Relation } from './messages.ts';
import type { Step, Transaction } from './part.ts';
import { readFrames } from './read-frames.ts';
import type { RelationMap } from './row-change.ts';
import { TransactionRun } from './transaction-run.ts';

const begin = encodeMessage({ kind: 'begin', finalLsn: 100n as Lsn, commitTime: 7n, xid: 42 });
const commit = encodeMessage({
  kind: 'commit',
  commitLsn: 100n as Lsn,
  endLsn: 148n as Lsn,
  commitTime: 7n,
});
const marker = encodeMessage({
  kind: 'message',
  transactional: true,
  lsn: 50n as Lsn,
  prefix: 'here',
  content: Buffer.from('x'),
});

/** As a socket hands it over: the same memory every time. */
function pusher(assembler: Assembler): (message: Buffer) => Assembled | null {
  const memory = Buffer.alloc(4096);
  return (message) => {
    memory.fill(0xee);
    message.copy(memory);
    return assembler.push(memory.subarray(0, message.length));
  };
}

function transactionOf(whole: Assembled): Transaction {
  const [transaction] = new TransactionRun(whole).read();
  assert.ok(transaction);
  return transaction;
}

function messagesOf(rows: readonly Row[]): Buffer[] {
  return rows.flatMap((each) => [encodeMessage(each.relation), encodeRow(each)]);
}

function outline(steps: readonly Step[]): unknown[] {
  return steps.map((step) =>
    step.kind === 'message' || step.kind === 'truncate'
      ? step
      : {
          kind: step.kind,
          relation: step.relation,
          old: step.old && valuesOf(step.old),
          new: step.new && valuesOf(step.new),
        },
  );
}

function expected(rows: readonly Row[]): unknown[] {
  return rows.map((each) => ({
    kind: each.kind,
    relation: each.relation,
    old: each.old?.values ?? null,
    new: each.new ?? null,
  }));
}

void test('a transaction comes out whole at its commit, with exact positions, from memory that is overwritten', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
      const push = pusher(new Assembler());
      for (const message of [begin, ...messagesOf(rows)]) {
        assert.equal(push(message), null);
      }
      const whole = push(commit);
      assert.ok(whole);
      const transaction = transactionOf(whole);
      assert.deepEqual(
        [transaction.xid, transaction.commitLsn, transaction.endLsn, transaction.commitTime],
        [42, 100n, 148n, 7n],
      );
      assert.deepEqual(outline(transaction.changes), expected(rows));
    }),
  );
});

void test('a detached transaction, read from its frames cut into slices anywhere, equals the one from memory', () => {
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 20 }),
      fc.nat(20),
      fc.integer({ min: 1, max: 300 }),
      (rows, after, slice) => {
        const assembler = new Assembler();
        const push = pusher(assembler);
        const frames: Buffer[] = [];
        let relations: RelationMap = new Map();
        for (const [index, message] of [begin, ...messagesOf(rows), marker].entries()) {
          push(message);
          if (index >= after && !assembler.detached && index > 0) {
            relations = assembler.detach();
          }
          if (assembler.detached) {
            frames.push(
              ...assembler.drain().map(({ bytes, from, to }) => bytes.subarray(from, to)),
            );
          }
        }
        const whole = push(commit);
        assert.ok(whole);
        if (whole.detached) {
          assert.deepEqual(whole.frames, []);
          const read = readSlices(Buffer.concat(frames), slice, relations);
          assert.deepEqual(outline(read.slice(0, -1)), expected(rows));
          assert.equal(read.at(-1)?.kind, 'message');
        }
      },
    ),
  );
});

function readSlices(bytes: Buffer, slice: number, before: RelationMap): Step[] {
  let relations = before;
  const steps: Step[] = [];
  let at = 0;
  let wanted = slice;
  while (at < bytes.length) {
    const read = readFrames(
      { bytes, from: at, to: Math.min(at + wanted, bytes.length) },
      relations,
    );
    steps.push(...read.steps);
    ({ relations } = read);
    at += read.length;
    wanted = read.length === 0 ? wanted * 2 : slice;
  }
  return steps;
}

void test('a relation in force stays with the rows that came under it', () => {
  const push = pusher(new Assembler());
  const before: Relation = {
    kind: 'relation',
    oid: 1,
    schema: 's',
    name: 't',
    replicaIdentity: 'd',
    columns: [{ name: 'a', identity: true, typeOid: 23, typeModifier: -1 }],
  };
  const after: Relation = { ...before, columns: [...before.columns, ...before.columns] };
  const value = { text: '1' };
  push(begin);
  push(encodeMessage(before));
  push(encodeRow({ kind: 'insert', relation: before, new: [value] }));
  push(encodeMessage(after));
  push(encodeRow({ kind: 'insert', relation: after, new: [value, value] }));
  const whole = push(commit);
  assert.ok(whole);
  const counts = transactionOf(whole).changes.map((step) =>
    step.kind === 'insert' ? [step.relation.columns.length, step.new?.count] : null,
  );
  assert.deepEqual(counts, [
    [1, 1],
    [2, 2],
  ]);
});

void test('a relation told once is one object to all that come under it', () => {
  const relation: Relation = {
    kind: 'relation',
    oid: 1,
    schema: 'public',
    name: 'visit',
    replicaIdentity: 'd',
    columns: [],
  };
  const assembler = new Assembler();
  const seen: Relation[] = [];
  for (const messages of [
    [encodeMessage(relation), encodeRow({ kind: 'insert', relation, new: [] })],
    [encodeRow({ kind: 'insert', relation, new: [] })],
  ]) {
    [begin, ...messages].forEach((message) => assembler.push(message));
    const whole = assembler.push(commit);
    assert.ok(whole);
    const steps = transactionOf(whole).changes;
    seen.push(...steps.flatMap((step) => ('relation' in step ? [step.relation] : [])));
  }
  assert.equal(seen.length, 2);
  assert.equal(seen[0], seen[1]);
});

void test('a keepalive is confirmable only while no transaction is begun', () => {
  const assembler = new Assembler();
  const push = pusher(assembler);
  assert.equal(assembler.keepalive(200n as Lsn), 200n);
  push(begin);
  assert.equal(assembler.keepalive(200n as Lsn), null);
  push(commit);
  assert.equal(assembler.keepalive(200n as Lsn), 200n);
});

void test('a message that is not transactional marks nothing and needs no transaction', () => {
  const push = pusher(new Assembler());
  const loose = Buffer.from(marker);
  loose.writeUInt8(0, 1);
  assert.equal(push(loose), null);
  push(begin);
  push(loose);
  const whole = push(commit);
  assert.ok(whole);
  assert.deepEqual(transactionOf(whole).changes, []);
});

void test('a begin inside a transaction, a commit of another, or a change outside one is a protocol error', () => {
  const other = encodeMessage({
    kind: 'commit',
    commitLsn: 99n as Lsn,
    endLsn: 148n as Lsn,
    commitTime: 7n,
  });
  for (const messages of [[begin, begin], [begin, other], [commit], [marker]]) {
    const push = pusher(new Assembler());
    assert.throws(
      () => {
        for (const message of messages) {
          push(message);
        }
      },
      { code: 'protocol' },
    );
  }
});
