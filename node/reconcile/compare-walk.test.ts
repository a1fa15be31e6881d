/** A table compared with the provider's, as a whole and by blocks, over real databases. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParkedView } from '../parking/parked-view.ts';
import { parseLsn } from '../pgoutput/lsn.ts';
import type { Key } from '../provider/reader.ts';
import { createChild } from '../testing/child.ts';
import { newest, roles } from '../testing/database.ts';
import { Random } from '../testing/random.ts';
import { StreamPair, table } from '../testing/stream-pair.ts';
import { openChild } from '../testing/stream-reader.ts';
import { compareWalk } from './compare-walk.ts';
import { AppliedPosition, type StreamSide, Turns } from './stream-side.ts';
import { TableSides } from './table-sides.ts';
import { Trail } from './trail.ts';

const visit = table('visit', { key: ['id'] });
const ddl = 'create table visit (id integer primary key, note text)';
const count = 5000;

interface Walked {
  readonly suspicious: readonly number[];
  readonly ends: readonly (Key | null)[];
  readonly rows: number;
  readonly bytes: number;
}

void test('wherever rows differ, all of them are suspected, no row is passed over, and equal copies cost next to nothing', async () => {
  await using child = await createChild(newest());
  await child.query(`${ddl}; alter publication tributary_up add table visit;
    insert into visit select n, 'right' from generate_series(1, ${count}) n; analyze visit`);
  await using pair = await StreamPair.create({ ddl, tables: [visit] });
  await using provider = openChild(child);
  await using applier = await pair.applier();
  const query = async (text: string, values?: readonly unknown[]) =>
    await pair.subscriber.query(text, [...(values ?? [])]);
  const stream: StreamSide = {
    scope: pair.scope,
    provider,
    applier,
    trail: new Trail(),
    parked: new ParkedView('district_a'),
    turns: new Turns(),
    position: new AppliedPosition(parseLsn('FFFF/0')),
    format: 'text',
  };
  await using sides = new TableSides({ stream, tables: [visit], query, patient: () => query });
  const { signal } = new AbortController();
  const walk = async (atOnce: number): Promise<Walked> => {
    const side = await sides.open(visit, await sides.published(), signal);
    const suspicious: number[] = [];
    const ends: (Key | null)[] = [];
    let rows = 0;
    let bytes = 0;
    await compareWalk(side, {
      after: null,
      atOnce,
      suspicious: async (keys) => {
        suspicious.push(...keys.map(([id]) => Number(id)));
        await Promise.resolve();
      },
      walked: async (through, walked) => {
        ends.push(through);
        rows += walked.rows;
        bytes += walked.bytes;
        await Promise.resolve();
      },
    });
    return { suspicious: suspicious.sort((a, b) => a - b), ends, rows, bytes };
  };
  const equalAgain = async (): Promise<void> => {
    await query('truncate visit');
    await query(
      `insert into visit (id, note, tributary_origin) select n, 'right', 'district_a' from generate_series(1, ${count}) n`,
    );
  };
  const random = new Random(Random.seedOfRun()).fork('compare walk');
  for (let lap = 0; lap < 12; lap += 1) {
    await equalAgain();
    const wrong = new Set<number>();
    const edits = [0, 1, 3, 40][lap % 4] ?? 0;
    for (let edit = 0; edit < edits; edit += 1) {
      // Behind the provider's last row, too.
      const id = lap % 3 === 0 ? count + 1 + edit : 1 + random.below(count);
      wrong.add(id);
      await query(
        random.below(2) === 0 && id <= count
          ? 'delete from visit where id = $1'
          : `insert into visit (id, note, tributary_origin) values ($1, 'wrong', 'district_a') on conflict (id) do update set note = 'wrong'`,
        [id],
      );
    }
    const atOnce = [100, 700, 4999, 10_000][random.below(4)] ?? 100;
    const found = await walk(atOnce);
    const context = `lap ${lap}, ${atOnce} rows at once`;
    assert.deepEqual(
      found.suspicious,
      [...wrong].sort((a, b) => a - b),
      context,
    );
    assert.equal(found.rows, count, context);
    assert.equal(found.ends.at(-1), null, context);
    const ids = found.ends.slice(0, -1).map((key) => Number(key?.[0]));
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => a - b),
      context,
    );
    if (edits === 0) {
      assert.ok(found.bytes < 10_000, `${context}: ${found.bytes} bytes`);
    }
  }
  await equalAgain();
  const ends = [0, 1, count, count + 1];
  await query(
    `delete from visit where id in (1, ${count});
     insert into visit (id, note, tributary_origin) values (0, 'right', 'district_a'), (${count + 1}, 'right', 'district_a')`,
  );
  assert.deepEqual((await walk(10_000)).suspicious, ends, 'as many rows as before, at both ends');
  await child.query(
    `revoke execute on function tributary.published_digest(text, text, text[], text[], text[], text[]) from ${roles.reader}`,
  );
  await sides.close();
  const older = await walk(100);
  assert.deepEqual(older.suspicious, ends, 'a provider of an older release');
  assert.equal(older.rows, count);
});
