/** What happens to a table in the middle of its comparison, which then goes on as if nothing had. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Trouble } from '../trouble.ts';

/** As a walk that was cut behind that key leaves it; null: it has not begun. */
async function demand(trouble: Trouble, table: string, through: string | null): Promise<void> {
  await trouble.parent.query(
    `insert into tributary.reconcile as r (provider, schema_name, table_name, state, reason, through, started_at)
     values ('district_a', 'public', $1, case when $2::jsonb is null then 'wanted' else 'failed' end, 'asked', $2, case when $2::jsonb is not null then now() end)
     on conflict (provider, schema_name, table_name) do update set state = excluded.state, reason = excluded.reason,
       through = excluded.through, started_at = excluded.started_at, walked = 0, sent = 0`,
    [table, through],
  );
}

async function untilEqual(trouble: Trouble): Promise<void> {
  await trouble.until('every table is equal', async () => {
    const open = await trouble.parent.query(
      `select from tributary.reconcile where state <> 'done'`,
    );
    const stream = await trouble.stream();
    return open.length === 0 && stream?.complete === true && stream.blocked.length === 0;
  });
}

async function untilCount(trouble: Trouble, what: string, sql: string, count = 1): Promise<void> {
  await trouble.until(what, async () => (await trouble.parent.query(sql)).length === count);
}

/** Facilities a, b and c are here, and no process runs. */
async function threeFacilities(trouble: Trouble): Promise<void> {
  const process = trouble.start();
  await trouble.flows();
  await trouble.child.query(
    `insert into public.facility values ('a', 'old'), ('b', 'old'), ('c', 'old')`,
  );
  await untilCount(trouble, 'the rows are here', 'select from public.facility', 3);
  await process.end('SIGTERM');
}

/** The table is left alone while a row changes, and then mended. */
async function leaveAlone(trouble: Trouble): Promise<void> {
  await trouble.parent.query(
    `alter table public.facility add column must integer not null default 1;
     alter table public.facility alter column must drop default`,
  );
  await trouble.child.query(`update public.facility set name = 'new' where code = 'a'`);
  trouble.start();
  await trouble.until('it is left alone', async () => (await trouble.stream())?.blocked[0]);
  await trouble.flows();
  await trouble.parent.query(`alter table public.facility drop column must`);
}

async function nameOfA(trouble: Trouble): Promise<unknown> {
  const [row] = await trouble.parent.query(`select name from public.facility where code = 'a'`);
  return row;
}

void test('a table that was left alone in the middle of its comparison is compared from its beginning', async () => {
  await using trouble = await Trouble.create();
  await threeFacilities(trouble);
  await demand(trouble, 'facility', '["b"]');
  await leaveAlone(trouble);
  await untilEqual(trouble);
  assert.deepEqual(await nameOfA(trouble), { name: 'new' });
});

void test('a table that was left alone while a plan waited to be carried out is compared as a whole', async () => {
  await using trouble = await Trouble.create();
  await threeFacilities(trouble);
  await demand(trouble, 'facility', null);
  await trouble.parent.query(
    `update tributary.reconcile set reason = 'mend';
     insert into tributary.reconcile_key values ('district_a', 'public', 'facility', '["c"]')`,
  );
  await leaveAlone(trouble);
  await untilEqual(trouble);
  assert.deepEqual(await nameOfA(trouble), { name: 'new' });
});

void test('a publication that changes while another table is compared has every table compared from its beginning', async () => {
  await using trouble = await Trouble.create();
  const first = trouble.start();
  await trouble.flows();
  await trouble.child.query(
    `insert into public.case_report (id, status)
     select ('00000000-0000-0000-0000-0000000000' || lpad(n::text, 2, '0'))::uuid, case when n = 1 then 'closed' else 'approved' end
     from generate_series(1, 50) n`,
  );
  await trouble.child.query('analyze');
  const approved = `select from public.case_report where id::text like '00000000-%'`;
  await untilCount(trouble, 'the rows are here', approved, 49);
  await first.end('SIGTERM');
  await demand(trouble, 'facility', null);
  await demand(trouble, 'case_report', `["00000000-0000-0000-0000-000000000025"]`);
  const holder = await trouble.parent.client();
  try {
    await holder.query('begin; lock table public.facility in access exclusive mode');
    trouble.start();
    await untilCount(
      trouble,
      'the first table is compared',
      `select from tributary.reconcile where table_name = 'facility' and state = 'running'`,
    );
    await trouble.child.query(
      `begin;
       alter publication tributary_up drop table public.case_report;
       alter publication tributary_up add table public.case_report where (status in ('approved', 'closed'));
       select pg_logical_emit_message(true, 'tributary', 'publication');
       commit`,
    );
    await untilCount(
      trouble,
      'the change has come',
      `select from tributary.reconcile where table_name = 'case_report' and reason = 'publication_changed' and state = 'wanted'`,
    );
    await holder.query('rollback');
  } finally {
    await holder.end();
  }
  await untilEqual(trouble);
  // With the row that the wider filter lets through.
  await untilCount(trouble, 'all 50 are here', approved, 50);
});

void test('a table that is taken out of the file does not leave the stream incomplete for ever, and comes back whole', async () => {
  await using trouble = await Trouble.create();
  const process = trouble.start();
  await trouble.flows();
  for (const table of ['facility', 'case_report', 'laboratory_result']) {
    await demand(trouble, table, null);
  }
  await untilEqual(trouble);
  await trouble.writeTopology(`tables:
  - table: public.facility
    key: [code]
  - table: public.case_report
    approved: status = 'approved'
`);
  await trouble.prepare('north', 'district_a');
  process.signal('SIGHUP');
  // Once the change of the publication has come, or the table that left is open still.
  await untilCount(
    trouble,
    'the change has come',
    `select from tributary.reconcile where reason = 'publication_changed' limit 1`,
  );
  await untilEqual(trouble);
  // The child's file has it still, so its publication does not change; this one's names it again.
  await trouble.writeTopology();
  await trouble.prepare('district_a');
  await untilEqual(trouble);
  const id = randomUUID();
  await trouble.child.query(
    `insert into public.laboratory_result (id, released, value) values ('${id}', true, 1)`,
  );
  const behind = await trouble.approve();
  await untilCount(
    trouble,
    'what follows it in the stream is here',
    `select from public.case_report where id = '${behind}'`,
  );
  await trouble.prepare('north');
  process.signal('SIGHUP');
  await untilCount(
    trouble,
    'the row that went by is here',
    `select from public.laboratory_result where id = '${id}'`,
  );
  await untilEqual(trouble);
});
