/** Tables that are missing or unfit, at either end: refused before harm is done, or a stream that waits for a person. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applicationYaml } from '../application.ts';
import { roles } from '../database.ts';
import { type Place, Trouble } from '../trouble.ts';

void test('a table missing at the child: prepare names it; created and prepared, its rows flow', async () => {
  await using trouble = await Trouble.create({ prepared: false });
  await trouble.writeTopology(`${applicationYaml}  - table: public.extra\n`);
  const create = `set role ${roles.owner}; create table public.extra (id uuid primary key, note text); reset role`;
  await trouble.parent.query(create);
  await refused(trouble, 'district_a', {
    problem: /public\.extra .*does not exist here/,
    advice: /Install the application first/,
  });
  await trouble.child.query(create);
  await trouble.prepare('north', 'district_a');
  trouble.start();
  await trouble.flows();
  await extraFlows(trouble);
});

void test('a table missing at the subscriber: prepare names it there; created and prepared, its rows flow', async () => {
  await using trouble = await Trouble.create({ prepared: false });
  await trouble.writeTopology(`${applicationYaml}  - table: public.extra\n`);
  const create = `set role ${roles.owner}; create table public.extra (id uuid primary key, note text); reset role`;
  await trouble.child.query(create);
  await refused(trouble, 'north', {
    problem: /public\.extra .*does not exist here/,
    advice: /Install the application first/,
  });
  await trouble.parent.query(create);
  await trouble.prepare('north', 'district_a');
  trouble.start();
  await trouble.flows();
  await extraFlows(trouble);
});

void test('a table dropped at the subscriber while rows come: created and prepared again, the stream goes on', async () => {
  await using trouble = await Trouble.create();
  trouble.start();
  await trouble.flows();
  await trouble.parent.query('alter table public.facility rename to facility_away');
  await trouble.child.query(`insert into public.facility values ('a', $1)`, [trouble.value]);
  const { problem } = await trouble.streamFails('drifted', 'person');
  assert.deepEqual(
    [problem?.context['table'], problem?.context['reason']],
    ['public.facility', 'no_table'],
  );
  await trouble.parent.query(
    `set role ${roles.owner};
     create table public.facility (code text primary key, name text not null, beds integer);
     reset role`,
  );
  await trouble.prepare('north');
  assert.equal((await trouble.command('reload')).code, 0);
  await trouble.flows();
  assert.equal((await trouble.parent.query('select from public.facility')).length, 1);
});

void test('a row that a constraint here refuses is parked and shown; the stream goes on', async () => {
  await using trouble = await Trouble.create();
  trouble.start();
  await trouble.flows();
  await trouble.parent.query(
    `alter table public.case_report add constraint short check (note is null) not valid`,
  );
  const id = await trouble.approve();
  await trouble.until('the key is parked', async () => {
    const rows = await trouble.parent.query(
      `select from tributary.parked where reason = 'row_failed' and sqlstate = '23514' and constraint_name = 'short'`,
    );
    return rows.length === 1;
  });
  const shown = await trouble.until('status shows it', async () => {
    const stream = await trouble.stream();
    return stream && stream.parked.length > 0 ? stream : null;
  });
  assert.equal(shown.state, 'streaming');
  assert.deepEqual(shown.parked, [{ table: 'public.case_report', reason: 'row_failed', count: 1 }]);
  assert.deepEqual([shown.complete, shown.problem], [false, null]);
  const { stdout } = await trouble.command('parked', 'list', '--stream', 'district_a');
  assert.match(stdout, /row_failed 23514 short \(1\)\n {2}Correct the row at its node/);
  assert.ok(stdout.includes(`["${id}"]`), stdout);
  await trouble.parent.query('alter table public.case_report drop constraint short');
  const retry = await trouble.command('parked', 'retry', '--stream', 'district_a');
  // The changed definition may have brought it back before the command does.
  assert.match(`${retry.code} ${retry.stdout}`, /^0 .*[01] keys? due now/);
  await trouble.until('the row is here and no key is parked', async () => {
    const rows = await trouble.parent.query(
      `select from public.case_report where id = $1 and not exists (select from tributary.parked)`,
      [id],
    );
    return rows.length === 1;
  });
  await trouble.flows();
  trouble.isDiscreet();
});

void test('a parked key that is given up: the reason is kept, and its next change travels again', async () => {
  await using trouble = await Trouble.create();
  trouble.start();
  await trouble.flows();
  await trouble.parent.query(
    `alter table public.case_report add constraint short check (amount < 10)`,
  );
  const id = await trouble.approve();
  await trouble.until('the row is here', async () => {
    const rows = await trouble.parent.query('select from public.case_report where id = $1', [id]);
    return rows.length === 1;
  });
  await trouble.child.query('update public.case_report set amount = 11 where id = $1', [id]);
  await trouble.until('its key is parked', async () => {
    const rows = await trouble.parent.query('select from tributary.parked');
    return rows.length === 1;
  });
  const words = ['parked', 'discard', '--stream', 'district_a', '--table', 'public.case_report'];
  assert.equal((await trouble.command(...words, '--key', `["${id}"]`)).code, 2);
  const discard = [...words, '--key', `["${id}"]`, '--reason', 'entered twice'];
  assert.equal((await trouble.command(...discard)).code, 0);
  assert.equal((await trouble.command(...discard)).code, 2);
  const [audit] = await trouble.parent.query(
    `select action, subject, detail from tributary.audit where action = 'parked_discard'`,
  );
  assert.deepEqual(audit, {
    action: 'parked_discard',
    subject: 'district_a',
    detail: { table: 'public.case_report', reason: 'entered twice' },
  });
  await trouble.child.query('update public.case_report set amount = 9 where id = $1', [id]);
  await trouble.until('its change has arrived', async () => {
    const rows = await trouble.parent.query('select from public.case_report where amount = 9');
    return rows.length === 1;
  });
  trouble.isDiscreet();
});

void test('a table without a key, and one with a serial key: prepare says what to write for each', async () => {
  await using trouble = await Trouble.create({ prepared: false });
  const both: Place[] = ['north', 'district_a'];
  for (const place of both) {
    await trouble.database(place).query(
      `set role ${roles.owner};
       create table public.extra (note text);
       create table public.numbered (id serial primary key);
       reset role`,
    );
  }
  await trouble.writeTopology(
    `${applicationYaml}  - table: public.extra\n  - table: public.numbered\n`,
  );
  await refused(trouble, 'district_a', {
    problem: /public\.extra .*the table has no primary key/,
    advice:
      /alter table "public"\."extra" add column id uuid primary key default gen_random_uuid\(\);/,
  });
  const { stdout } = await trouble.commandAt(
    'district_a',
    'prepare',
    '--admin',
    trouble.child.url(),
  );
  assert.match(stdout, /public\.numbered .*primary key \(id\) is not one uuid column/);
  assert.deepEqual(await trouble.child.query(`select from pg_publication`), []);
  for (const place of both) {
    await trouble
      .database(place)
      .query(`alter table public.extra add column id uuid primary key default gen_random_uuid()`);
  }
  await trouble.writeTopology(`${applicationYaml}  - table: public.extra\n`);
  await trouble.prepare('north', 'district_a');
  trouble.start();
  await trouble.flows();
  await extraFlows(trouble);
});

/** Prepare, by whoever it is run, ends with 3, the problem and its advice, and has changed nothing. */
async function refused(
  trouble: Trouble,
  place: Place,
  expected: { readonly problem: RegExp; readonly advice: RegExp },
): Promise<void> {
  const url = trouble.database(place).url(roles.owner);
  for (const words of [
    ['prepare', '--admin', url],
    ['prepare', '--plan', '--admin', url],
  ]) {
    const { code, stdout } = await trouble.commandAt(place, ...words);
    assert.equal(code, 3, stdout);
    assert.match(stdout, expected.problem);
    assert.match(stdout, expected.advice);
  }
  const schemas = await trouble
    .database(place)
    .query(`select from pg_namespace where nspname like 'tributary%'`);
  assert.deepEqual(schemas, []);
}

async function extraFlows(trouble: Trouble): Promise<void> {
  await trouble.child.query(`insert into public.extra (id, note) values (gen_random_uuid(), $1)`, [
    trouble.value,
  ]);
  await trouble.until('the row of the table has arrived', async () => {
    const rows = await trouble.parent.query('select from public.extra where note = $1', [
      trouble.value,
    ]);
    return rows.length === 1;
  });
  trouble.isDiscreet();
}
