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

void test('a table dropped at the subscriber while rows come is left alone; made and prepared again it comes back by itself', async () => {
  await using trouble = await Trouble.create();
  trouble.start();
  await trouble.flows();
  await trouble.child.query(`insert into public.facility values ('a', $1)`, [trouble.value]);
  await trouble.until('the row is here', async () => await facilities(trouble, 1));
  await trouble.parent.query('alter table public.facility rename to facility_away');
  await trouble.child.query(`insert into public.facility values ('b', $1)`, [trouble.value]);
  await leftAlone(trouble, { cause: 'no_table', column: null });
  await trouble.flows();
  await trouble.parent.query(
    `set role ${roles.owner};
     create table public.facility (code text primary key, name text not null, beds integer);
     reset role`,
  );
  await trouble.prepare('north');
  await trouble.until('both rows are back', async () => await facilities(trouble, 2));
  await complete(trouble);
  trouble.isDiscreet();
});

void test('a type here that can not take the values: that table alone is left, and comes back once it is altered', async () => {
  await using trouble = await Trouble.create();
  trouble.start();
  await trouble.flows();
  await trouble.parent.query(`alter table public.facility alter column beds type date using null`);
  await trouble.child.query(`insert into public.facility values ('a', $1, 3)`, [trouble.value]);
  const advice = await leftAlone(trouble, { cause: 'type', column: 'beds' });
  assert.match(advice, /alter table "public"."facility" alter column "beds" type integer;/);
  await trouble.flows();
  const { stdout } = await trouble.command('status');
  assert.match(stdout, /public\.facility: left alone \(type beds\)/);
  await trouble.child.query(
    `update public.facility set beds = 4; delete from public.facility where code = 'b'`,
  );
  await trouble.parent.query(
    `alter table public.facility alter column beds type integer using null`,
  );
  await trouble.until('the row is here as it is by now', async () => {
    const rows = await trouble.parent.query('select from public.facility where beds = 4');
    return rows.length === 1;
  });
  await complete(trouble);
  await trouble.child.query(`update public.facility set beds = 5`);
  await trouble.until('its changes come by the stream again', async () => {
    const rows = await trouble.parent.query('select from public.facility where beds = 5');
    return rows.length === 1;
  });
  assert.deepEqual(await trouble.parent.query('select from tributary.parked'), []);
});

void test('a column that is not here yet is left out and shown with its ALTER; added, it is filled in rows of any number', async () => {
  await using trouble = await Trouble.create();
  trouble.start();
  await trouble.flows();
  const rows = 3000;
  await trouble.child.query(
    `alter table public.facility add column region text;
     insert into public.facility select n, 'x', n, 'r' || n from generate_series(1, ${rows}) n`,
  );
  await trouble.until('the rows are here', async () => await facilities(trouble, rows));
  const shown = await trouble.until('status shows the column', async () => {
    const stream = await trouble.stream();
    return stream?.partial[0] ?? null;
  });
  assert.deepEqual(
    [shown.table, shown.columns, shown.mend],
    ['public.facility', ['region'], 'alter table "public"."facility" add column "region" text;'],
  );
  const stream = await trouble.stream();
  assert.deepEqual([stream?.complete, stream?.blocked], [true, []]);
  await trouble.parent.query(`set role ${roles.owner}; ${shown.mend} reset role`);
  await trouble.until('every row has it', async () => {
    const found = await trouble.parent.query(
      `select from public.facility where region = 'r' || code`,
    );
    return found.length === rows;
  });
  await complete(trouble);
  assert.deepEqual((await trouble.stream())?.partial, []);
});

void test('ALTER COLUMN ... USING at the child, which sends nothing, arrives', async () => {
  await using trouble = await Trouble.create();
  trouble.start();
  await trouble.flows();
  await trouble.child.query(
    `insert into public.facility select n, 'x', n from generate_series(1, 10) n`,
  );
  await trouble.until('the rows are here', async () => await facilities(trouble, 10));
  await trouble.until('the definition is known', async () => {
    const found = await trouble.parent.query(
      `select from tributary.definition where table_name = 'facility'`,
    );
    return found.length === 1;
  });
  await trouble.child.query(
    `alter table public.facility alter column beds type integer using beds * 2`,
  );
  await trouble.child.query(`insert into public.facility values ('last', 'x', 1)`);
  await trouble.until('every value is the new one', async () => {
    const found = await trouble.parent.query(
      `select from public.facility where code <> 'last' and beds = 2 * code::int`,
    );
    return found.length === 10;
  });
  await complete(trouble);
});

void test('partitions at the child: rows of a new and of an attached one arrive, those of a detached one leave', async () => {
  await using trouble = await Trouble.create({ prepared: false });
  await trouble.writeTopology(`${applicationYaml}  - table: public.dose\n    key: [id, year]\n`);
  const columns = 'id int, year int, note text, primary key (id, year)';
  await trouble.parent.query(
    `set role ${roles.owner}; create table public.dose (${columns}); reset role`,
  );
  await trouble.child.query(
    `set role ${roles.owner};
     create table public.dose (${columns}) partition by list (year);
     create table public.dose_1 partition of public.dose for values in (1);
     create table public.dose_2 partition of public.dose for values in (2);
     create table public.dose_4 (id int not null, year int not null, note text, primary key (id, year));
     insert into public.dose_4 values (1, 4, 'of before'), (2, 4, 'of before');
     reset role`,
  );
  await trouble.prepare('north', 'district_a');
  trouble.start();
  await trouble.flows();
  const has = async (what: string, expected: string): Promise<void> => {
    await trouble.until(what, async () => {
      const rows = await trouble.parent.query<{ line: string }>(
        `select id || '.' || year as line from public.dose order by year, id`,
      );
      return rows.map(({ line }) => line).join(' ') === expected;
    });
  };
  await trouble.child.query(`insert into public.dose values (1, 1), (1, 2), (2, 2)`);
  await has('rows arrive', '1.1 1.2 2.2');
  await trouble.child.query(
    `set role ${roles.owner};
     create table public.dose_3 partition of public.dose for values in (3);
     reset role`,
  );
  await trouble.prepare('district_a');
  await trouble.child.query(`insert into public.dose values (1, 3)`);
  await has('a row of the new partition arrives', '1.1 1.2 2.2 1.3');
  await trouble.until('the definition is known', async () => {
    const rows = await trouble.parent.query(
      `select from tributary.definition where table_name = 'dose'
       and not exists (select from tributary.reconcile where table_name = 'dose' and state <> 'done')`,
    );
    return rows.length === 1;
  });
  await trouble.child.query(
    `set role ${roles.owner};
     alter table public.dose attach partition public.dose_4 for values in (4);
     alter table public.dose detach partition public.dose_2;
     reset role`,
  );
  await trouble.prepare('district_a');
  await trouble.child.query(`insert into public.dose values (2, 1)`);
  await has('rows came and went with their partitions', '1.1 2.1 1.3 1.4 2.4');
  await complete(trouble);
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

void test('a thousand keys of a table that can not be read keep no other key from being tried', async () => {
  await using trouble = await Trouble.create();
  const process = trouble.start();
  await trouble.flows();
  await trouble.child.query(`insert into public.facility values ('a', $1)`, [trouble.value]);
  await trouble.until('the row is here', async () => await facilities(trouble, 1));
  await process.end('SIGTERM');
  await trouble.parent.queryBehind(`delete from public.facility`);
  await trouble.parent.query(
    `insert into tributary.parked (provider, schema_name, table_name, key, reason, retry_at)
     select 'district_a', 'public', 'gone', jsonb_build_array(n), 'row_failed', now() - interval '1 hour' from generate_series(1, 1000) n
     union all select 'district_a', 'public', 'facility', '["a"]', 'update_missing', now()`,
  );
  trouble.start();
  await trouble.until('the row is back', async () => await facilities(trouble, 1));
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

async function facilities(trouble: Trouble, count: number): Promise<boolean> {
  const rows = await trouble.parent.query('select from public.facility');
  return rows.length === count;
}

/** The stream goes on without the table, and status says why. Returns the advice. */
async function leftAlone(
  trouble: Trouble,
  expected: { readonly cause: string; readonly column: string | null },
): Promise<string> {
  const shown = await trouble.until('status shows the table', async () => {
    const stream = await trouble.stream();
    return stream?.blocked[0] ? stream : null;
  });
  const [one] = shown.blocked;
  assert.deepEqual(
    [shown.state, one?.table, one?.reason, one?.cause, one?.column],
    ['streaming', 'public.facility', 'drifted', expected.cause, expected.column],
  );
  return one?.advice ?? '';
}

async function complete(trouble: Trouble): Promise<void> {
  await trouble.until('nothing is missing', async () => {
    const stream = await trouble.stream();
    return stream?.complete === true && stream.blocked.length === 0;
  });
}

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
