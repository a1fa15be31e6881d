/**
 * One table of one stream compared with the provider's, from where it was interrupted; nothing is written to it. Keys that
 * the comparison suspects are judged once more under a snapshot of their own when the stream has passed it, so what is
 * merely on its way is no difference; neither is a key that is parked, for that is known.
 */
import {
  advanceVerify,
  type Difference,
  startVerify,
  type VerifyRow,
} from '../database/verify-tables.ts';
import type { Key } from '../provider/reader.ts';
import { compareWalk } from './compare-walk.ts';
import { portions, settleAll } from './settle.ts';
import type { TableSide } from './table-side.ts';

/** After each chunk `pace` is waited for. How many keys differ. @throws TributaryError of provider and database */
export async function verifyTable(
  side: TableSide,
  row: VerifyRow,
  pace: () => Promise<void>,
): Promise<number> {
  await startVerify(side.query, row);
  let found: readonly Difference[] = [];
  let differing = 0;
  await compareWalk(side, {
    after: row.through,
    suspicious: async (keys) => {
      found = await judge(side, keys);
    },
    walked: async (through, { rows, bytes }) => {
      differing = await advanceVerify(side.query, row, { through, walked: rows, bytes, found });
      // crash point: chunk-verified
      found = [];
      await pace();
    },
  });
  return differing;
}

async function judge(side: TableSide, keys: readonly Key[]): Promise<readonly Difference[]> {
  const { parked } = side.stream;
  const { schema, name } = side.plan.read;
  const found: Difference[] = [];
  for (const portion of portions(keys)) {
    const { missing, different, extra } = await settleAll(side, { keys: portion, changes: 'look' });
    found.push(
      ...missing.map((key): Difference => ({ key, kind: 'missing' })),
      ...different.map((key): Difference => ({ key, kind: 'different' })),
      ...extra.map((key): Difference => ({ key, kind: 'extra' })),
    );
  }
  return found.filter(({ key }) => parked.find({ table: { schema, name }, key }) === null);
}
