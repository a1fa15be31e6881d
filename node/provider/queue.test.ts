import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Assembled } from '../pgoutput/assembler.ts';
import { Assembler } from '../pgoutput/assembler.ts';
import { encodeMessage, encodeRow } from '../pgoutput/encode.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Part, Transaction } from '../pgoutput/part.ts';
import { TransactionQueue } from './queue.ts';

const visit: Relation = {
  kind: 'relation',
  oid: 1,
  schema: 'public',
  name: 'visit',
  replicaIdentity: 'd',
  columns: [{ name: 'note', identity: true, typeOid: 25, typeModifier: -1 }],
};

/** So many transactions of so many rows, in their order; the number of the transaction is its xid. */
class Wholes {
  readonly #assembler = new Assembler();
  #xid = 0;

  next(rows: number, bytes = 1): Assembled {
    this.#xid += 1;
    const commitLsn = BigInt(100 * this.#xid) as Lsn;
    const endLsn = BigInt(100 * this.#xid + 48) as Lsn;
    const insert = encodeRow({
      kind: 'insert',
      relation: visit,
      new: [{ text: Buffer.alloc(bytes) }],
    });
    const messages = [
      encodeMessage({ kind: 'begin', finalLsn: commitLsn, commitTime: 0n, xid: this.#xid }),
      ...(this.#xid === 1 ? [encodeMessage(visit)] : []),
      ...Array.from({ length: rows }, () => insert),
      encodeMessage({ kind: 'commit', commitLsn, endLsn, commitTime: 0n }),
    ];
    const [whole] = messages.map((message) => this.#assembler.push(message)).slice(-1);
    assert.ok(whole);
    return whole;
  }

  /** Between two transactions. */
  tell(relation: Relation): void {
    this.#assembler.push(encodeMessage(relation));
  }
}

async function transactionsOf(part: Part): Promise<readonly Transaction[]> {
  return (await Array.fromAsync(part.slices())).flat();
}

function steps(transactions: readonly Transaction[]): number {
  return transactions.reduce((sum, { changes }) => sum + changes.length, 0);
}

const partBytes = 100_000;

void test('transactions leave in their order, none twice, none cut, in parts within their bounds', async () => {
  const act = fc.oneof(
    { weight: 3, arbitrary: fc.record({ rows: fc.integer({ min: 0, max: 12 }) }) },
    { weight: 1, arbitrary: fc.record({ rows: fc.integer({ min: 2000, max: 6000 }) }) },
    { weight: 1, arbitrary: fc.constant('take' as const) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
      const wholes = new Wholes();
      const queue = new TransactionQueue(partBytes);
      let pushed = 0;
      const taken: number[] = [];
      const take = async (): Promise<boolean> => {
        const part = queue.take();
        if (!part) {
          return false;
        }
        const all = await transactionsOf(part);
        assert.ok(all.length === 1 || steps(all) <= 5000);
        assert.equal(part.transactionCount, all.length);
        assert.equal(part.position, all.at(-1)?.endLsn);
        all.forEach(({ xid }) => taken.push(xid));
        return true;
      };
      for (const each of acts) {
        if (each === 'take') {
          await take();
        } else {
          queue.push(wholes.next(each.rows));
          pushed += 1;
        }
      }
      while (await take()) {
        // Until nothing waits.
      }
      assert.deepEqual(
        taken,
        Array.from({ length: pushed }, (_, index) => index + 1),
      );
      assert.equal(queue.cost, 0);
      assert.ok(queue.empty);
    }),
    { numRuns: 40 },
  );
});

void test('a part holds no more bytes than it may, but always one transaction', async () => {
  const wholes = new Wholes();
  const queue = new TransactionQueue(partBytes);
  for (const bytes of [40_000, 40_000, 40_000, 300_000, 10]) {
    queue.push(wholes.next(1, bytes));
  }
  const taken: number[][] = [];
  for (let part = queue.take(); part; part = queue.take()) {
    taken.push((await transactionsOf(part)).map(({ xid }) => xid));
  }
  assert.deepEqual(taken, [[1, 2], [3], [4], [5]]);
});

void test('a transaction on the disk is a part by itself, in its place', async () => {
  const wholes = new Wholes();
  const queue = new TransactionQueue(partBytes);
  let released = false;
  const spooled: Part = {
    position: 1n as Lsn,
    transactionCount: 1,
    bytes: 0,
    spooled: true,
    slices: async function* () {},
    release: async () => {
      released = true;
      await Promise.resolve();
    },
  };
  queue.push(wholes.next(1));
  queue.pushSpooled(spooled);
  queue.push(wholes.next(1));
  assert.ok(queue.holdsSpooled);
  assert.equal(queue.take()?.transactionCount, 1);
  assert.equal(queue.take(), spooled);
  assert.ok(!queue.holdsSpooled);
  assert.equal(queue.take()?.position, 248n);
  assert.equal(queue.take(), null);
  queue.pushSpooled(spooled);
  await queue.clear();
  assert.ok(released && queue.empty);
});

void test('rows are read under the relation that was told before them, also where that was between two transactions', async () => {
  const wholes = new Wholes();
  const queue = new TransactionQueue(partBytes);
  queue.push(wholes.next(1));
  wholes.tell({ ...visit, name: 'renamed' });
  queue.push(wholes.next(1));
  queue.push(wholes.next(1));
  const names: string[][] = [];
  for (let part = queue.take(); part; part = queue.take()) {
    const changes = (await transactionsOf(part)).flatMap((each) => each.changes);
    names.push(changes.flatMap((each) => ('relation' in each ? [each.relation.name] : [])));
  }
  assert.deepEqual(names, [['visit'], ['renamed', 'renamed']]);
});
