/** What a comparison reads here besides the ranges it compares. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Query } from '../database/query.ts';
import { loadReconcile } from '../database/reconcile-tables.ts';
import { ParkedView } from '../parking/parked-view.ts';
import { parseLsn } from '../pgoutput/lsn.ts';
import { createChild } from '../testing/child.ts';
import { newest } from '../testing/database.ts';
import { StreamPair, table } from '../testing/stream-pair.ts';
import { openChild } from '../testing/stream-reader.ts';
import { AppliedPosition, type StreamSide, Turns } from './stream-side.ts';
import { TableSides } from './table-sides.ts';
import { walkTable } from './table-walk.ts';
import { Trail } from './trail.ts';

const visit = table('visit', { key: ['id'] });
const ddl = 'create table visit (id integer primary key, note text)';

void test('all rows are counted only where more differ than may be overwritten whatever their number', async () => {
  await using child = await createChild(newest());
  await child.query(`${ddl}; alter publication tributary_up add table visit;
    insert into visit select n, 'right' from generate_series(1, 10) n`);
  await using pair = await StreamPair.create({
    ddl,
    tables: [visit],
    subscriberDdl: `insert into visit select n, 'right', 'district_a' from generate_series(1, 10) n`,
  });
  await using provider = openChild(child);
  await using applier = await pair.applier();
  const asked: string[] = [];
  const query: Query = async (text, values) => {
    asked.push(text);
    return await pair.subscriber.query(text, [...(values ?? [])]);
  };
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
  const walk = async (removals: number): Promise<readonly [string, number]> => {
    await pair.subscriber.query(
      `insert into tributary.reconcile (provider, schema_name, table_name, reason) values ('district_a', 'public', 'visit', 'asked')
       on conflict (provider, schema_name, table_name) do update set state = 'wanted'`,
    );
    const [row] = await loadReconcile(query, 'district_a');
    assert.ok(row);
    asked.length = 0;
    const side = await sides.open(visit, await sides.published(), signal);
    const end = await walkTable(side, { row, removals, pace: async () => await Promise.resolve() });
    const count = /^select count\(\*\)::text as count from "public"\."visit"/;
    return [end, asked.filter((text) => count.test(text)).length];
  };
  assert.deepEqual(await walk(2), ['equal', 0]);
  await pair.subscriber.query(`update visit set note = 'wrong' where id <= 2`);
  assert.deepEqual(await walk(2), ['equal', 0]);
  await pair.subscriber.query(`update visit set note = 'wrong' where id <= 3`);
  assert.deepEqual(await walk(2), ['held', 1]);
});
