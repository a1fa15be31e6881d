import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { StatusReport } from '../monitor/status-report.ts';
import { roles } from '../testing/database.ts';
import { chain, Tree } from '../testing/tree.ts';

async function approve(tree: Tree, count: number, at = 'district_a'): Promise<void> {
  await tree.node(at).database.query(
    `insert into public.case_report (id, status, note)
     select gen_random_uuid(), 'approved', n::text from generate_series(1, $1::int) n`,
    [count],
  );
}

async function status(tree: Tree, name: string): Promise<StatusReport> {
  return await tree.status<StatusReport>(name);
}

async function ready(tree: Tree, name: string): Promise<{ status: number; code: string | null }> {
  const response = await fetch(`http://127.0.0.1:${tree.node(name).httpPort}/readyz`);
  const body = (await response.json()) as { code?: string };
  return { status: response.status, code: body.code ?? null };
}

async function epoch(tree: Tree, name: string): Promise<number> {
  const rows = await tree
    .node(name)
    .database.query<{ epoch: number }>(`select epoch::int from tributary.stream`);
  return rows[0]?.epoch ?? 0;
}

void test('rows travel from district to nation by processes of the command line', async (t) => {
  await using tree = await Tree.create({ parents: chain });

  await t.test('an approved row appears at every level, and freshness is complete', async () => {
    await approve(tree, 10);
    await tree.waitLevel();
    await tree.until(
      async () => {
        const { freshness, streams } = await status(tree, 'nation');
        return (
          freshness.length === 2 &&
          freshness.every(({ complete, ageSeconds }) => complete && ageSeconds !== null) &&
          streams.every(({ state }) => state === 'streaming')
        );
      },
      { what: 'complete at the nation' },
    );
    assert.deepEqual(await ready(tree, 'nation'), { status: 200, code: null });
  });

  await t.test('`status` and `wait` answer like a monitoring plugin', async () => {
    const told = await tree.command('nation', ['status']);
    assert.match(told.stdout, /^OK nation \(nation\)\n/);
    assert.equal(told.code, 0);
    const waited = await tree.command('nation', ['wait', '--stream', 'north']);
    assert.equal(waited.code, 0, waited.stdout + waited.stderr);
    const wrong = await tree.command('nation', ['wait', '--stream', 'nowhere']);
    assert.equal(wrong.code, 2);
    assert.doesNotMatch(wrong.stderr, /^\s+at /m);
  });

  await t.test('metrics tell state, lag and rows', async () => {
    const port = tree.node('north').httpPort;
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assert.match(text, /^tributary_stream_state\{stream="district_a",state="streaming"\} 1$/m);
    assert.match(text, /^tributary_stream_state\{stream="district_a",state="person"\} 0$/m);
    assert.match(
      text,
      /^tributary_stream_rows_applied_total\{stream="district_a",table="public.case_report",operation="insert"\} 10$/m,
    );
    assert.match(text, /^tributary_origin_complete\{origin="district_a"\} 1$/m);
    assert.match(
      text,
      /^tributary_replication_slots_active\{slot_name="tributary_nation",slot_type="logical"\} 1$/m,
    );
    assert.match(text, /^tributary_walsenders_ended_total 0$/m);
    assert.match(text, /^nodejs_eventloop_lag_seconds /m);
  });

  await t.test(
    'metrics of the root tell how the districts are, which nobody can scrape',
    async () => {
      const port = tree.node('nation').httpPort;
      await tree.until(
        async () => {
          const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
          return [
            /^tributary_origin_info\{origin="district_a",level="district",via="north"\} 1$/m,
            /^tributary_subtree_info\{origin="district_a",version="[^"]+",topology="[0-9a-f]{12}"\} 1$/m,
            /^tributary_subtree_slot_active\{origin="district_a",slot_name="tributary_north"\} 1$/m,
            /^tributary_subtree_stream_state\{origin="north",stream="district_a",state="streaming"\} 1$/m,
          ].every((line) => line.test(text));
        },
        { what: 'the state of the district is told at the root' },
      );
    },
  );

  await t.test('a bad file changes nothing, and status says so until it is mended', async () => {
    const good = await readFile(tree.file, 'utf8');
    const before = (await status(tree, 'nation')).topology;
    await writeFile(tree.file, good.replace('parent: nation', 'parent: natoin'));
    const refused = await tree.command('nation', ['reload']);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /natoin/);
    tree.process('nation').signal('SIGHUP');
    tree.process('north').signal('SIGHUP');
    for (const name of ['nation', 'north']) {
      const { topology, streams } = await tree.until(
        async () => {
          const report = await status(tree, name);
          return report.topology.valid ? null : report;
        },
        { what: `${name} refuses the file` },
      );
      assert.equal(topology.digest, before.digest);
      assert.match(topology.problems.join('\n'), /natoin/);
      assert.equal(streams[0]?.state, 'streaming');
    }
    await writeFile(tree.file, `${good}# mended\n`);
    // The command reads the file itself, so only a valid one lets it reach the process.
    assert.equal((await tree.command('nation', ['reload'])).code, 0);
    tree.process('north').signal('SIGHUP');
    await tree.until(async () => (await status(tree, 'north')).topology.valid, { what: 'mended' });
    assert.notEqual((await status(tree, 'nation')).topology.digest, before.digest);
    // Each connection tells the file it runs by, so every stream begins anew, once, and nobody is called for it.
    const after = await tree.until(
      async () => {
        const { streams } = await status(tree, 'nation');
        return streams[0]?.state === 'streaming' && streams[0].reconnects > 0 ? streams[0] : null;
      },
      { what: 'the stream runs by the new file' },
    );
    assert.deepEqual([after.reconnects, after.failures, after.problem], [1, 0, null]);
  });

  await t.test('a second process waits, and takes over when the first is killed', async () => {
    const second = tree.startSecond('north');
    await tree.until(() => second.log.includes('waiting for its turn'), { what: 'it waits' });
    assert.doesNotMatch(second.log, /"serving"/);
    await tree.kill9('north');
    await approve(tree, 10);
    await tree.waitLevel();
    await tree.until(async () => (await ready(tree, 'north')).status === 200, {
      what: 'the second has taken over the port too',
    });
    await second.end('SIGTERM');
    assert.equal(second.exitCode, 0);
    tree.start('north');
    await tree.streaming();
  });

  await t.test(
    "the lock's connection cut alone: one of two live processes carries on",
    async () => {
      const second = tree.startSecond('north');
      await tree.until(() => second.log.includes('waiting for its turn'), { what: 'it waits' });
      const before = await epoch(tree, 'north');
      await tree.node('north').database.query(
        `select pg_terminate_backend(a.pid)
       from pg_locks l join pg_stat_activity a using (pid)
       where l.locktype = 'advisory' and l.granted and a.application_name like '%leader'`,
      );
      await approve(tree, 10);
      await tree.until(async () => (await epoch(tree, 'north')) > before, { what: 'a new epoch' });
      await tree.waitLevel();
      const leaders = await tree
        .node('north')
        .database.query(`select from pg_locks where locktype = 'advisory' and granted`);
      assert.equal(leaders.length, 1);
      await second.end('SIGTERM');
      await tree.streaming();
    },
  );

  await t.test(
    'a process whose stream was taken over stops applying and asks for its turn',
    async () => {
      const before = await epoch(tree, 'north');
      await tree.node('north').database.query(`update tributary.stream set epoch = epoch + 1`);
      await approve(tree, 10);
      await tree.until(() => tree.process('north').log.includes('"fenced"'), { what: 'fenced' });
      await tree.until(async () => (await epoch(tree, 'north')) > before + 1, { what: 'its turn' });
      await tree.waitLevel();
    },
  );

  await t.test('a planned stop drains, writes a last heartbeat and ends 0', async () => {
    const beat = async (): Promise<string> => {
      const rows = await tree
        .node('nation')
        .database.query<{ nonce: string }>(
          `select nonce::text from tributary.heartbeat where node = 'north'`,
        );
      return rows[0]?.nonce ?? '';
    };
    await tree.stop('north');
    assert.equal(tree.process('north').exitCode, 0);
    const [last] = await tree
      .node('north')
      .database.query<{ nonce: string; state: { streams: Record<string, { state: string }> } }>(
        `select nonce::text, state from tributary.heartbeat where node = 'north'`,
      );
    assert.equal(last?.state.streams['district_a']?.state, 'stopped');
    await tree.until(async () => (await beat()) === last?.nonce, { what: 'it travelled' });
    const told = await tree.command('north', ['status']);
    assert.equal(told.code, 2);
    assert.match(told.stdout, /^CRITICAL north .*process not running/);
  });
});

void test('a child that is down leaves its sibling alone, and is not logged about again and again', async () => {
  await using tree = await Tree.create({
    parents: { north: null, district_a: 'north', district_b: 'north' },
  });
  await tree.node('district_a').database.cluster.stop('immediate');
  await approve(tree, 10, 'district_b');
  await tree.until(
    async () => {
      const { streams } = await status(tree, 'north');
      const [a, b] = streams;
      return a?.state === 'retrying' && a.failures >= 3 && b?.state === 'streaming';
    },
    { what: 'one stream is tried again while the other streams' },
  );
  const rows = await tree
    .node('north')
    .database.query<{ count: number }>(
      `select count(*)::int as count from public.case_report where tributary_origin = 'district_b'`,
    );
  assert.equal(rows[0]?.count, 10);
  const lines = tree
    .process('north')
    .log.split('\n')
    .filter((line) => line.includes('"stream":"district_a"') && line.includes('"retrying"'));
  assert.ok(lines.length <= 4, lines.join('\n'));
  await tree.node('district_a').database.cluster.start();
  await approve(tree, 10, 'district_a');
  await tree.waitLevel();
});

void test('a node whose database is down or not prepared stays up, says why, and goes on by itself', async () => {
  await using tree = await Tree.create({ parents: { nation: null }, start: false });
  const { cluster } = tree.node('nation').database;
  await cluster.stop();
  const process = tree.start('nation');
  await tree.until(async () => (await ready(tree, 'nation')).code === 'database_unreachable', {
    what: 'it says that the database is down',
  });
  assert.equal((await tree.command('nation', ['status'])).code, 2);
  await tree.until(async () => (await status(tree, 'nation')).leader === 'connecting', {
    what: 'it tries again',
  });
  await cluster.start();
  await tree.until(async () => (await ready(tree, 'nation')).code === 'not_prepared', {
    what: 'it says that the database is not prepared',
  });
  const unprepared = await tree.command('nation', ['status']);
  assert.equal(unprepared.code, 2);
  assert.match(unprepared.stdout, /tributary prepare/);
  const admin = tree.node('nation').database.url(roles.owner);
  assert.equal((await tree.command('nation', ['prepare', '--admin', admin])).code, 0);
  assert.equal((await tree.command('nation', ['reload'])).code, 0);
  await tree.until(async () => (await ready(tree, 'nation')).status === 200, {
    what: 'it is ready',
  });
  assert.equal(process.running, true);
  const told = process.log.split('\n').filter((line) => line.includes('"database_unreachable"'));
  assert.equal(told.length, 1, told.join('\n'));
});

void test('a wrong file, name or secret ends with code 2 and what to write, without a stack', async () => {
  await using tree = await Tree.create({ parents: { nation: null }, start: false });
  const good = await readFile(tree.file, 'utf8');
  await writeFile(tree.file, good.replace('version: 1', 'version: 1\nheartbeet: 5s\nzoone: x'));
  const wrong = await tree.command('nation', ['run']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /heartbeet/);
  assert.match(wrong.stderr, /zoone/);
  await writeFile(tree.file, good.replace('${NATION_DATABASE_URL}', '${NO_SUCH_URL}'));
  const secret = await tree.command('nation', ['run']);
  assert.equal(secret.code, 2);
  assert.match(secret.stderr, /NO_SUCH_URL/);
  await writeFile(tree.file, good.replace('name: nation', 'name: natoin'));
  const name = await tree.command('nation', ['run']);
  assert.equal(name.code, 2);
  for (const { stderr } of [wrong, secret, name]) {
    assert.doesNotMatch(stderr, /^\s+at /m);
  }
});
