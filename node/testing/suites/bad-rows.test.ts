/**
 * Bad rows cost little: 10,000 rows, entered one by one in transactions of 100 with one bad row each, have arrived in not
 * more than twice the time of the same load without bad rows; what a backlog of them costs apply alone is told.
 * Rounds alternate and the best of each counts, because other work on the machine only ever adds.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Applier } from '../../apply/applier.ts';
import { partOf, StreamPair, table } from '../stream-pair.ts';
import { Trouble } from '../trouble.ts';

const transactions = 100;
const rowsEach = 100;
const rounds = 3;

void test('one bad row in a hundred does not double the time in which the good ones arrive', async (t) => {
  await using trouble = await Trouble.create();
  await trouble.parent.query(
    `alter table public.case_report add constraint short check (length(note) < 200)`,
  );
  trouble.start();
  await trouble.flows();
  const times = { good: Infinity, bad: Infinity };
  for (let round = 0; round < rounds; round += 1) {
    for (const load of ['good', 'bad'] as const) {
      times[load] = Math.min(times[load], await arrival(trouble, load, `${load} ${round}`));
    }
  }
  const ratio = times.bad / times.good;
  t.diagnostic(report(times));
  const parked = await trouble.parent.query(
    `select reason, sqlstate, constraint_name as name, count(*)::int as count from tributary.parked group by 1, 2, 3`,
  );
  const count = rounds * transactions;
  assert.deepEqual(parked, [{ reason: 'row_failed', sqlstate: '23514', name: 'short', count }]);
  assert.ok(ratio <= 2, `${ratio.toFixed(2)} times`);
});

/** Milliseconds from the first row entered to the last one arrived. */
async function arrival(trouble: Trouble, load: 'good' | 'bad', tag: string): Promise<number> {
  const client = await trouble.child.client();
  const started = performance.now();
  for (let transaction = 0; transaction < transactions; transaction += 1) {
    await client.query('begin');
    for (let row = 0; row < rowsEach; row += 1) {
      const bad = load === 'bad' && row === (transaction * 37) % rowsEach;
      await client.query({
        name: 'enter',
        text: `insert into public.case_report (id, status, entered_by, amount, note)
               values (gen_random_uuid(), 'approved', $1, $2, repeat('n', $3))`,
        values: [tag, row, bad ? 250 : 150],
      });
    }
    await client.query('commit');
  }
  await client.end();
  const expected = transactions * (rowsEach - (load === 'bad' ? 1 : 0));
  await trouble.until('the good rows have arrived', async () => {
    const [seen] = await trouble.parent.query<{ count: number }>(
      `select count(*)::int as count from public.case_report where entered_by = $1`,
      [tag],
    );
    return seen?.count === expected;
  });
  return performance.now() - started;
}

const kinds = [
  { name: 'a check', bad: `note = repeat('x', 300)`, sqlstate: '23514' },
  { name: 'a unique value that is taken', bad: `code = 'taken'`, sqlstate: '23505' },
] as const;

for (const kind of kinds) {
  void test(`a backlog with one row in a hundred that fails ${kind.name} is applied in one go`, async (t) => {
    await using pair = await StreamPair.create({
      ddl: `create table visit (id uuid primary key, code text, day date, amount numeric, note text);`,
      tables: [table('visit')],
      subscriberDdl: `
        alter table visit add constraint short check (length(note) < 200);
        create unique index visit_code on visit (code);
        insert into visit (id, code) values (gen_random_uuid(), 'taken')`,
    });
    await using applier = await pair.applier();
    const times = { good: Infinity, bad: Infinity };
    for (let round = 0; round < rounds; round += 1) {
      for (const load of ['good', 'bad'] as const) {
        const ms = await backlog(pair, applier, load === 'bad' ? kind.bad : null);
        times[load] = Math.min(times[load], ms);
      }
    }
    t.diagnostic(`apply alone, ${report(times)}`);
    const { rows } = await pair.subscriber.query(
      `select reason, sqlstate, count(*)::int as count from tributary.parked group by 1, 2`,
    );
    const count = rounds * transactions;
    assert.deepEqual(rows, [{ reason: 'row_failed', sqlstate: kind.sqlstate, count }]);
  });
}

function report({ good, bad }: { readonly good: number; readonly bad: number }): string {
  return `${transactions * rowsEach} rows: ${good.toFixed(0)} ms without, ${bad.toFixed(0)} ms with ${transactions} bad rows: ${(bad / good).toFixed(2)} times`;
}

/** Milliseconds of apply for one load, which is removed again. */
async function backlog(pair: StreamPair, applier: Applier, bad: string | null): Promise<number> {
  await pair.provider.query(`
    do $$ begin
      for t in 1..${transactions} loop
        insert into visit
        select gen_random_uuid(), gen_random_uuid()::text, current_date, n * 1.5, repeat('n', 150)
        from generate_series(1, ${rowsEach}) n;
        ${bad === null ? '' : `update visit set ${bad} where ctid = (select max(ctid) from visit where xmin = pg_current_xact_id()::xid);`}
        commit;
      end loop;
    end $$`);
  const part = partOf(await pair.transactions());
  assert.equal(part.transactionCount, transactions);
  const started = performance.now();
  await applier.apply(part);
  const ms = performance.now() - started;
  const { rows } = await pair.subscriber.query(`select count(*)::int as count from visit`);
  const expected = transactions * rowsEach - (bad === null ? 0 : transactions) + 1;
  assert.deepEqual(rows, [{ count: expected }]);
  await pair.provider.query(`delete from visit`);
  await pair.transactions();
  await pair.subscriber.query(`delete from visit where code <> 'taken'`);
  await pair.subscriber.query(`vacuum visit`);
  return ms;
}
