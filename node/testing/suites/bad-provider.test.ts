/** What a child may be found like: each names itself, says what to do, and doing it lets the rows flow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { roles } from '../database.ts';
import { Trouble } from '../trouble.ts';

void test('an unreachable child: tried again by itself, and the stream comes back with its PostgreSQL', async () => {
  await using trouble = await Trouble.create();
  await trouble.child.cluster.stop();
  const process = trouble.start();
  const { problem } = await trouble.streamFails('provider_unreachable', 'retrying');
  assert.ok(problem?.context['socket'], JSON.stringify(problem));
  const wait = await trouble.command('wait', '--stream', 'district_a', '--timeout', '1');
  assert.equal(wait.code, 1);
  assert.match(
    wait.stderr,
    /^error: the child's PostgreSQL does not answer \(provider_unreachable\)/,
  );
  await trouble.child.cluster.start();
  await trouble.flows();
  assert.ok(process.running);
});

void test('a cut link is named while it lasts and forgotten when it holds again', async () => {
  await using trouble = await Trouble.create();
  trouble.start();
  await trouble.flows();
  trouble.link.refuse();
  await trouble.streamFails('provider_unreachable', 'retrying');
  trouble.link.heal();
  await trouble.flows();
  const lines = trouble.log.split('\n').filter((line) => line.includes('is down'));
  assert.ok(lines.length <= 6, lines.join('\n'));
});

void test('a wrong password: corrected in the file it takes effect on reload', async () => {
  await using trouble = await Trouble.create();
  await trouble.secret('provider', trouble.providerUrl('password-that-is-wrong'));
  trouble.start();
  const { problem } = await trouble.streamFails('provider_refused', 'person');
  assert.equal(problem?.context['sqlstate'], '28P01');
  const wait = await trouble.command('wait', '--stream', 'district_a');
  assert.equal(wait.code, 3);
  assert.match(wait.stderr, /\(provider_refused\)/);
  await trouble.secret('provider', trouble.providerUrl());
  assert.equal((await trouble.command('reload')).code, 0);
  await trouble.flows();
});

void test('a password corrected at the child needs a reload only', async () => {
  await using trouble = await Trouble.create();
  await trouble.child.query(`alter role ${roles.reader} password 'password-of-yesterday'`);
  trouble.start();
  await trouble.streamFails('provider_refused', 'person');
  await trouble.child.query(`alter role ${roles.reader} password '${trouble.password}'`);
  assert.equal((await trouble.command('reload')).code, 0);
  await trouble.flows();
});

void test('wal_level replica: set to logical and restarted, the stream begins', async () => {
  await using trouble = await Trouble.create({ settings: { wal_level: 'replica' } });
  trouble.start();
  await trouble.streamFails('provider_wal_level', 'person');
  await trouble.child.cluster.stop();
  await trouble.child.cluster.start({ wal_level: 'logical' });
  assert.equal((await trouble.command('reload')).code, 0);
  await trouble.flows();
});

void test('no slot left: with more of them and a restart the stream begins', async () => {
  await using trouble = await Trouble.create({ settings: { max_replication_slots: 1 } });
  await trouble.child.query(`select pg_create_physical_replication_slot('of_somebody_else')`);
  trouble.start();
  const { problem } = await trouble.streamFails('provider_no_slot_free', 'person');
  assert.equal(problem?.context['sqlstate'], '53400');
  await trouble.child.cluster.stop();
  await trouble.child.cluster.start({ max_replication_slots: 2 });
  assert.equal((await trouble.command('reload')).code, 0);
  await trouble.flows();
});

void test('no walsender left: with more of them and a restart the stream begins', async () => {
  await using trouble = await Trouble.create({ settings: { max_wal_senders: 1 } });
  const config = { connectionString: trouble.child.url(), replication: 'database' };
  const other = new pg.Client(config);
  other.on('error', () => {});
  await other.connect();
  trouble.start();
  const { problem } = await trouble.streamFails('provider_no_slot_free', 'person');
  assert.equal(problem?.context['sqlstate'], '53300');
  await trouble.child.cluster.stop();
  await trouble.child.cluster.start({ max_wal_senders: 4 });
  assert.equal((await trouble.command('reload')).code, 0);
  await trouble.flows();
});

void test('a child that is not prepared: prepared there, the stream begins', async () => {
  await using trouble = await Trouble.create({ prepared: false });
  await trouble.prepare('north');
  trouble.start();
  await trouble.streamFails('provider_not_prepared', 'person');
  await trouble.prepare('district_a');
  assert.equal((await trouble.command('reload')).code, 0);
  await trouble.flows();
});

void test('another node than the one named answers: a doubt, and nothing is made there', async () => {
  await using trouble = await Trouble.create();
  await trouble.child.letGo();
  await trouble.child.cluster.query('create database neighbour template records');
  await trouble.child.cluster.query(`update tributary.node set name = 'district_b'`, 'neighbour');
  await trouble.secret('provider', trouble.providerUrl().replace(/records$/, 'neighbour'));
  trouble.start();
  const { doubts } = await trouble.streamFails('doubt', 'person');
  assert.deepEqual(doubts, [
    { name: 'node_name_differs', detail: { expected: 'district_a', found: 'district_b' } },
  ]);
  const { rows } = await trouble.child.cluster.query('select from pg_replication_slots');
  assert.deepEqual(rows, []);
  await trouble.secret('provider', trouble.providerUrl());
  assert.equal((await trouble.command('reload')).code, 0);
  await trouble.flows();
});
