/** What a node may find of its own PostgreSQL: it stays up, says so, and serves when the advice was followed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { roles } from '../database.ts';
import { freePort } from '../free-port.ts';
import { Trouble } from '../trouble.ts';

void test('its own PostgreSQL is down: the node waits for it, says so once, and serves when it is up', async () => {
  await using trouble = await Trouble.create();
  const started = Date.now();
  await trouble.parent.cluster.stop();
  const before = await trouble.command('status');
  assert.equal(before.code, 3);
  assert.match(before.stdout, /^UNKNOWN north .*neither a process nor its database answers/);
  const process = trouble.start();
  await trouble.nodeFails('database_unreachable');
  await trouble.until('it tried some times', () => Date.now() > started + 5000);
  assert.equal(trouble.log.match(/"code":"database_unreachable"/g)?.length, 1, trouble.log);
  await trouble.parent.cluster.start();
  await trouble.flows();
  assert.ok(process.running);
});

void test('its own PostgreSQL goes down while it serves: it comes back by itself', async () => {
  await using trouble = await Trouble.create();
  trouble.start();
  await trouble.flows();
  await trouble.parent.cluster.stop('immediate');
  await trouble.nodeFails('database_unreachable');
  await trouble.parent.cluster.start();
  await trouble.flows();
});

void test('a wrong password in the file: corrected and started again, the node serves', async () => {
  await using trouble = await Trouble.create();
  await trouble.secret('database', trouble.databaseUrl('password-that-is-wrong'));
  const process = trouble.start();
  await trouble.nodeFails('database_refused');
  const { code, stderr } = await trouble.command('wait', '--stream', 'district_a');
  assert.equal(code, 3);
  assert.match(stderr, /^error: this node's own PostgreSQL refuses the login \(database_refused\)/);
  await trouble.secret('database', trouble.databaseUrl());
  await process.end('SIGTERM');
  assert.equal(process.exitCode, 0);
  trouble.start();
  await trouble.flows();
});

void test('a password corrected at the server is noticed by itself', async () => {
  await using trouble = await Trouble.create();
  await trouble.parent.query(`alter role ${roles.writer} password 'password-of-yesterday'`);
  trouble.start();
  await trouble.nodeFails('database_refused');
  await trouble.parent.query(`alter role ${roles.writer} password '${trouble.password}'`);
  assert.equal((await trouble.command('reload')).code, 0);
  await trouble.flows();
});

void test('a database that is not prepared: prepared, the node serves on reload', async () => {
  await using trouble = await Trouble.create({ prepared: false });
  await trouble.prepare('district_a');
  trouble.start();
  await trouble.nodeFails('not_prepared');
  const status = await trouble.command('wait', '--stream', 'district_a');
  assert.equal(status.code, 3, status.stderr);
  assert.match(status.stderr, /\(not_prepared\)/);
  const { code, stdout } = await trouble.command('prepare', '--admin', trouble.parent.url());
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^prepared$/m);
  assert.equal((await trouble.command('reload')).code, 0);
  await trouble.flows();
});

void test('a database prepared for another node is refused by run and by prepare; the right one serves', async () => {
  await using trouble = await Trouble.create({ prepared: false });
  await trouble.prepare('district_a');
  await trouble.parent.letGo();
  await trouble.parent.cluster.query('create database wrong template records');
  await trouble.prepare('north');
  const url = trouble.parent.cluster.url({ database: 'wrong' });
  const prepared = await trouble.commandAt('district_a', 'prepare', '--admin', url);
  assert.equal(prepared.code, 0, prepared.stdout);
  const refused = await trouble.command('prepare', '--admin', url);
  assert.equal(refused.code, 3);
  assert.match(
    refused.stdout,
    /belongs to a node of another name \(node_name_differs\)[\s\S]*found: district_a/,
  );
  const own = trouble.databaseUrl();
  await trouble.secret('database', own.replace(/records$/, 'wrong'));
  const process = trouble.start();
  const { problem } = await trouble.nodeFails('node_name_differs');
  assert.equal(problem?.context['found'], 'district_a');
  await trouble.secret('database', own);
  await process.end('SIGTERM');
  trouble.start();
  await trouble.flows();
});

void test('a schema of a newer version that breaks this one: the version that knows it serves', async () => {
  await using trouble = await Trouble.create();
  await trouble.parent.query(
    `insert into tributary.migration (number, breaking) values (999, true)`,
  );
  trouble.start();
  await trouble.nodeFails('schema_newer');
  // As the newer version would find it: nothing in the database it does not know.
  await trouble.parent.query(`delete from tributary.migration where number = 999`);
  assert.equal((await trouble.command('reload')).code, 0);
  await trouble.flows();
});

void test('a newer schema that does not break this version is served', async () => {
  await using trouble = await Trouble.create();
  await trouble.parent.query(
    `insert into tributary.migration (number, breaking) values (999, false)`,
  );
  trouble.start();
  await trouble.flows();
});

void test('a port that is taken: rows flow all the same, and the node answers when it is free', async () => {
  await using trouble = await Trouble.create();
  const other = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello')).listen(
    trouble.httpPort,
    '127.0.0.1',
  );
  await once(other, 'listening');
  trouble.start();
  await trouble.until('it says so', () => trouble.log.includes('http can not listen'));
  assert.match(trouble.log, new RegExp(`"port":${trouble.httpPort},.*"error":"EADDRINUSE"`));
  const status = await trouble.command('status');
  assert.ok([1, 2, 3].includes(status.code), status.stdout);
  assert.match(status.stdout + status.stderr, /not a Tributary node|process not running/);
  const id = await trouble.until('the stream has begun', async () => {
    const rows = await trouble.child.query('select from pg_replication_slots where active');
    return rows.length === 1 ? await trouble.approve() : null;
  });
  await trouble.until('the row has arrived', async () => {
    const found = await trouble.parent.query('select from case_report where id = $1', [id]);
    return found.length === 1;
  });
  other.close();
  await trouble.flows();
});

/** Rows went into the database of the new file, and their positions into that of the old one. */
void test('a changed `database` waits for the next start: rows and positions stay together', async () => {
  await using trouble = await Trouble.create();
  trouble.start();
  await trouble.flows();
  await trouble.parent.query('create database other');
  const file = await readFile(trouble.file, 'utf8');
  const other = trouble.databaseUrl().replace(/\/records$/, '/other');
  await writeFile(join(trouble.directory, 'other'), `${other}\n`);
  await writeFile(trouble.file, file.replace('${file:database}', '${file:other}'));
  const { code, stdout } = await trouble.command('reload');
  assert.equal(code, 0, stdout);
  assert.match(stdout, /a changed `database` takes effect when the process is started again/);
  await trouble.flows();
});

void test('a process that answers elsewhere than the file says is not called dead', async () => {
  await using trouble = await Trouble.create();
  trouble.start();
  await trouble.flows();
  const file = await readFile(trouble.file, 'utf8');
  const port = await freePort();
  await writeFile(trouble.file, file.replace(`port: ${trouble.httpPort}`, `port: ${port}`));
  const { code, stdout } = await trouble.command('status');
  assert.equal(code, 3, stdout);
  assert.match(stdout, /^UNKNOWN .*\(process_silent\)/);
  assert.match(stdout, new RegExp(`address: http://127.0.0.1:${port}`));
  await writeFile(trouble.file, file);
  assert.notEqual((await trouble.command('status')).code, 3);
});
