import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { row } from '../testing/arbitrary-messages.ts';
import { Assembler } from './assembler.ts';
import { encodeMessage, encodeRow, type Row, valuesOf } from './encode.ts';
import type { Lsn } from './lsn.ts';
import type { Relation } from './messages.ts';
import type { Transaction } from './part.ts';
import { TransactionRun } from './transaction-run.ts';

interface Told {
  readonly xid: number;
  readonly rows: readonly Row[];
  /** A message that is no row, at the end. */
  readonly marked: boolean;
}

const told = fc.record({
  xid: fc.nat(2 ** 32 - 1),
  rows: fc.array(row, { maxLength: 5 }),
  marked: fc.boolean(),
});

function messagesOf({ xid, rows, marked }: Told, at: bigint): Buffer[] {
  const commitLsn = at as Lsn;
  return [
    encodeMessage({ kind: 'begin', finalLsn: commitLsn, commitTime: -at, xid }),
    ...rows.flatMap((each) => [encodeMessage(each.relation), encodeRow(each)]),
    ...(marked
      ? [
          encodeMessage({
            kind: 'message',
            transactional: true,
            lsn: commitLsn,
            prefix: 'here',
            content: Buffer.from('x'),
          }),
        ]
      : []),
    encodeMessage({ kind: 'commit', commitLsn, endLsn: (at + 48n) as Lsn, commitTime: -at }),
  ];
}

function outline({ changes, ...rest }: Transaction): unknown {
  return {
    ...rest,
    changes: changes.map((step) =>
      step.kind === 'message' || step.kind === 'truncate'
        ? step.kind
        : [
            step.kind,
            step.relation,
            step.old && valuesOf(step.old),
            step.new && valuesOf(step.new),
          ],
    ),
  };
}

function expected({ xid, rows, marked }: Told, at: bigint): unknown {
  return {
    xid,
    commitLsn: at,
    endLsn: at + 48n,
    commitTime: -at,
    rowsOnly: !marked,
    changes: [
      ...rows.map((each) => [each.kind, each.relation, each.old?.values ?? null, each.new ?? null]),
      ...(marked ? ['message'] : []),
    ],
  };
}

void test('many transactions are read from one run as they came, as often as wanted, wherever the memory turns', () => {
  fc.assert(
    fc.property(fc.array(told, { minLength: 1, maxLength: 8 }), fc.boolean(), (all, large) => {
      const assembler = new Assembler();
      // The arena's megabyte ends somewhere within them.
      const filler = Buffer.alloc(large ? (1 << 20) - 400 : 1);
      const pad: Relation = {
        kind: 'relation',
        oid: 1,
        schema: 's',
        name: 'pad',
        replicaIdentity: 'd',
        columns: [{ name: 'a', identity: true, typeOid: 25, typeModifier: -1 }],
      };
      const first = { kind: 'insert', relation: pad, new: [{ text: filler.toString() }] } as const;
      const wholes = [{ xid: 1, rows: [first], marked: false }, ...all].map((each, index) => {
        const messages = messagesOf(each, BigInt(index + 1) * 100n);
        const [whole] = messages.map((message) => assembler.push(message)).slice(-1);
        assert.ok(whole);
        return whole;
      });
      const [one, ...others] = wholes;
      assert.ok(one);
      const run = new TransactionRun(one);
      for (const each of others) {
        assert.ok(run.precedes(each.before));
        run.add(each);
      }
      const wanted = all.map((each, index) => expected(each, BigInt(index + 2) * 100n));
      for (const read of [run.read(), run.read()]) {
        assert.deepEqual(read.slice(1).map(outline), wanted);
      }
      assert.equal(run.transactionCount, wholes.length);
      assert.equal(run.position, wholes.at(-1)?.endLsn);
      assert.equal(
        run.cost,
        wholes.reduce((sum, { cost }) => sum + cost, 0),
      );
    }),
    { numRuns: 60 },
  );
});

void test('a relation told between two transactions begins another run', () => {
  const relation: Relation = {
    kind: 'relation',
    oid: 1,
    schema: 'public',
    name: 'visit',
    replicaIdentity: 'd',
    columns: [],
  };
  const assembler = new Assembler();
  const [first, second] = [100n, 200n].map((at) => {
    const [whole] = messagesOf({ xid: 1, rows: [], marked: false }, at)
      .map((message) => assembler.push(message))
      .slice(-1);
    assembler.push(encodeMessage(relation));
    assert.ok(whole);
    return whole;
  });
  assert.ok(first && second);
  assert.equal(new TransactionRun(first).precedes(second.before), false);
});
