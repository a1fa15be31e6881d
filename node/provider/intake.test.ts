import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { encodeMessage, encodeRow } from '../pgoutput/encode.ts';
import { type Lsn, noLsn } from '../pgoutput/lsn.ts';
import type { Relation } from '../pgoutput/messages.ts';
import { Intake } from './intake.ts';

const relation: Relation = {
  kind: 'relation',
  oid: 16_400,
  schema: 'public',
  name: 'visit',
  replicaIdentity: 'd',
  columns: [{ identity: true, name: 'id', typeOid: 23, typeModifier: -1 }],
};
const row = encodeRow({ kind: 'insert', relation, new: [{ text: '1' }] });

function intake(): Intake {
  return new Intake({
    from: noLsn,
    queueBytes: 16 << 20,
    spoolBytes: 8 << 20,
    spoolDirectory: tmpdir(),
    onRelief: () => {},
    onFailure: assert.fail,
  });
}

/** A transaction of so many of the smallest rows. */
function feed(into: Intake, rows: number): void {
  const position = 100n as Lsn;
  const begin = encodeMessage({ kind: 'begin', finalLsn: position, commitTime: 7n, xid: 42 });
  const commit = { kind: 'commit', commitLsn: position, endLsn: position, commitTime: 7n } as const;
  for (const message of [begin, encodeMessage(relation)]) {
    into.message(message, 0, message.length);
  }
  for (let left = rows; left > 0; left -= 1) {
    into.message(row, 0, row.length);
  }
  const end = encodeMessage(commit);
  assert.ok(into.message(end, 0, end.length));
}

void test('a transaction of very many small rows goes to the disk, though its bytes would fit', async () => {
  for (const { rows, spooled } of [
    { rows: 40_000, spooled: false },
    { rows: 60_000, spooled: true },
  ]) {
    const into = intake();
    feed(into, rows);
    const part = into.take();
    assert.equal(part?.spooled, spooled);
    let steps = 0;
    for await (const slice of part.slices()) {
      steps += slice.reduce((sum, { changes }) => sum + changes.length, 0);
    }
    assert.equal(steps, rows);
    await part.release();
    await into.clear();
  }
});
