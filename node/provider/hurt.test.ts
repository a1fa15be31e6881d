/** What a stream does when the link, the server, the reader or the disk fails. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatLsn } from '../pgoutput/lsn.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import { createChild } from '../testing/child.ts';
import { majors, roles, TestDatabase } from '../testing/database.ts';
import { Proxy } from '../testing/proxy.ts';
import { openChild, readStream, transactionsOf } from '../testing/stream-reader.ts';
import { until } from '../testing/until.ts';
import type { Provider } from './provider.ts';

const tried = majors().filter((major) => major === 15 || major === 18);

interface Ended {
  readonly steps: string[][];
  readonly position: Lsn;
  /** Code of the failure; null: it ended without one. */
  readonly code: unknown;
}

/** Reads and confirms until the stream ends by itself, or `most` transactions came. */
async function readToEnd(
  provider: Provider,
  from: Lsn,
  signal = AbortSignal.timeout(40_000),
  most = Infinity,
): Promise<Ended> {
  const steps: string[][] = [];
  let position = from;
  try {
    for await (const part of provider.stream(from, { signal, format: 'text' })) {
      steps.push(...(await transactionsOf(part)));
      position = part.position;
      provider.confirm(position);
      if (steps.length >= most) {
        break;
      }
    }
  } catch (error) {
    return { steps, position, code: codeOf(error) };
  }
  return { steps, position, code: null };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : error;
}

async function running(provider: Provider): Promise<void> {
  await until(() => provider.progress().connected, { what: 'the stream runs' });
}

for (const major of tried) {
  void test(`PostgreSQL ${major}: a link cut at any byte loses nothing and repeats nothing`, async () => {
    await using database = await createChild(major);
    await using proxy = await Proxy.start({ to: () => database.port });
    await using provider = openChild(database, { port: proxy.port });
    const made = await provider.makeSlot();
    const { slot } = made;
    let { position } = made;
    const write = async (round: number): Promise<string[][]> => {
      await database.query(
        `begin; insert into note values (${round}, 'a'); truncate report; commit`,
      );
      await database.query(`begin; delete from note where id = ${round}; commit`);
      return [[`insert note ${round},a`, 'truncate report'], [`delete note ${round},a`]];
    };
    const expected = await write(0);
    const before = proxy.bytes.fromServer;
    const whole = await readStream(provider, position, (so) => so.transactions.length === 2);
    assert.deepEqual(whole.transactions, expected);
    const total = proxy.bytes.fromServer - before;
    position = whole.position;
    let cuts = 0;
    for (let at = 1; at < total; at += 31) {
      const rows = await write(at);
      void proxy.cutAfter(at);
      const cut = await readToEnd(provider, position, AbortSignal.timeout(20_000), rows.length);
      proxy.heal();
      assert.match(String(cut.code), /^(link_cut|provider_unreachable|null)$/);
      cuts += cut.code === null ? 0 : 1;
      await until(async () => !(await slotActive(database, slot)), { what: 'the walsender ended' });
      position = cut.position;
      const left = rows.length - cut.steps.length;
      const rest =
        left > 0
          ? await readStream(provider, position, (so) => so.transactions.length >= left)
          : null;
      position = rest?.position ?? position;
      await until(async () => !(await slotActive(database, slot)), { what: 'the walsender ended' });
      const read = [...cut.steps, ...(rest?.transactions ?? [])];
      assert.deepEqual(read, rows, `cut after ${at} of ${total} bytes`);
    }
    assert.ok(cuts > 30, `${cuts} cuts`);
  });

  void test(`PostgreSQL ${major}: a walsender that is ended is a cut link, a slot in use is said to be so`, async () => {
    await using database = await createChild(major);
    await using provider = openChild(database, { subscriber: `busy_${major}` });
    await using other = openChild(database, { subscriber: `busy_${major}` });
    const made = await provider.makeSlot();
    const ending = readToEnd(provider, made.position);
    await running(provider);
    assert.equal((await readToEnd(other, made.position)).code, 'slot_in_use');
    await assert.rejects(other.makeSlot(), { code: 'slot_in_use' });
    await database.query(
      `select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1`,
      [made.slot],
    );
    assert.equal((await ending).code, 'link_cut');
    assert.equal(provider.progress().connected, false);
  });

  void test(`PostgreSQL ${major}: a filter that fails at the provider is named as such`, async () => {
    await using database = await createChild(major);
    await database.query(
      `create table risky (id int primary key);
       alter publication tributary_up add table risky where (10 / id > 1)`,
    );
    await using provider = openChild(database);
    const made = await provider.makeSlot();
    await database.query(`insert into note values (1, 'before')`);
    await database.query(`insert into risky values (0)`);
    const ended = await readToEnd(provider, made.position);
    assert.equal(ended.code, 'filter_error');
    assert.deepEqual(ended.steps, [['insert note 1,before']]);
  });

  void test(`PostgreSQL ${major}: wrong address, password, database and preparation each have their code`, async () => {
    await using database = await createChild(major);
    await using bare = await TestDatabase.create(major);
    const reader = database.url(roles.reader);
    const tries = [
      [openChild(database, { port: 1 }), 'provider_unreachable'],
      [
        openChild(database, { url: reader.replace(`${roles.reader}@`, 'wrong@') }),
        'provider_refused',
      ],
      [openChild(database, { url: `${reader}x` }), 'provider_refused'],
      [openChild(bare), 'provider_not_prepared'],
    ] as const;
    for (const [provider, code] of tries) {
      await assert.rejects(provider.describe(), { code });
      await assert.rejects(provider.makeSlot(), { code });
    }
    await using provider = openChild(database);
    assert.equal((await readToEnd(provider, 1n as Lsn)).code, 'provider_not_prepared');
  });

  void test(`PostgreSQL ${major}: told to stop, a stream ends at once, whether idle, connecting or full`, async () => {
    await using database = await createChild(major);
    await using proxy = await Proxy.start({ to: () => database.port });
    await using provider = openChild(database, { port: proxy.port, queueBytes: 1 << 16 });
    const made = await provider.makeSlot();
    const idle = new AbortController();
    const ending = readToEnd(provider, made.position, idle.signal);
    await running(provider);
    idle.abort();
    assert.equal((await ending).code, null);
    await database.query(
      `insert into note select i, repeat('x', 1000) from generate_series(1, 5000) i`,
    );
    await database.query(
      `insert into note select i, repeat('x', 1000) from generate_series(5001, 9999) i`,
    );
    const full = new AbortController();
    for await (const part of provider.stream(made.position, {
      signal: full.signal,
      format: 'text',
    })) {
      assert.ok(part.bytes > 0);
      await until(() => provider.progress().pending, { what: 'the next transaction waits' });
      full.abort();
    }
    proxy.silence();
    const connecting = new AbortController();
    const never = readToEnd(provider, made.position, connecting.signal);
    await until(() => proxy.connections.accepted > 4, { what: 'the connection is accepted' });
    const at = performance.now();
    connecting.abort();
    assert.equal((await never).code, null);
    assert.ok(performance.now() - at < 5000);
  });

  void test(`PostgreSQL ${major}: a link that says nothing is given up after wal_sender_timeout, an idle one is kept`, async () => {
    await using database = await createChild(major);
    await database.query(
      `alter role ${roles.reader} in database ${database.name} set wal_sender_timeout = '900ms'`,
    );
    await using proxy = await Proxy.start({ to: () => database.port });
    await using provider = openChild(database, { port: proxy.port });
    const made = await provider.makeSlot();
    const ending = readToEnd(provider, made.position);
    await running(provider);
    const from = performance.now();
    await until(() => performance.now() - from > 3000, { what: 'three seconds of idle life' });
    assert.equal(provider.progress().connected, true);
    proxy.silence();
    assert.equal((await ending).code, 'link_silent');
  });

  void test(`PostgreSQL ${major}: a link that falls silent before the stream runs is given up`, async () => {
    await using database = await createChild(major);
    await using proxy = await Proxy.start({ to: () => database.port });
    await using provider = openChild(database, { port: proxy.port, answerMs: 1500 });
    const { position } = await provider.makeSlot();
    const asked = proxy.bytes.toServer;
    await provider.describe();
    const question = proxy.bytes.toServer - asked;
    for (const part of [0.3, 0.8]) {
      proxy.heal();
      proxy.delay(40);
      const from = proxy.bytes.toServer;
      const describing = provider.describe().then(
        () => null,
        (error: unknown) => codeOf(error),
      );
      await until(() => proxy.bytes.toServer - from > part * question, {
        what: 'the question is on its way',
        everyMs: 1,
      });
      proxy.silence();
      assert.equal(await describing, 'provider_unreachable');
    }
    proxy.heal();
    proxy.delay(40);
    const from = proxy.bytes.toServer;
    const ending = readToEnd(provider, position);
    // The start-up packet and the password are longer than this, START_REPLICATION comes behind them.
    await until(() => proxy.bytes.toServer - from > 200, { what: 'it connects', everyMs: 1 });
    proxy.silence();
    assert.equal((await ending).code, 'provider_unreachable');
  });

  void test(`PostgreSQL ${major}: what is spooled leaves no name on the disk, and a disk that refuses is named`, async () => {
    await using database = await createChild(major);
    const directory = await mkdtemp(join(tmpdir(), 'tributary-test-'));
    try {
      await using provider = openChild(database, {
        spoolBytes: 1 << 16,
        spoolDirectory: directory,
      });
      const { position } = await provider.makeSlot();
      await database.query(
        `insert into note select i, repeat('x', 1000) from generate_series(1, 2000) i`,
      );
      const part = provider.stream(position, {
        signal: AbortSignal.timeout(30_000),
        format: 'text',
      });
      for await (const each of part) {
        assert.ok(each.spooled);
        assert.deepEqual(await readdir(directory), []);
        break;
      }
      const under = join(process.execPath, 'no directory');
      const subscriber = `refused_${major}`;
      await using refused = openChild(database, {
        spoolBytes: 1 << 16,
        spoolDirectory: under,
        subscriber,
      });
      const made = await refused.makeSlot();
      await database.query(`update note set body = repeat('y', 1000)`);
      assert.equal((await readToEnd(refused, made.position)).code, 'spool_full');
    } finally {
      await rm(directory, { recursive: true });
    }
  });
}

void test('a reader that does not read for 10 s loses the connection, not the data, and holds nothing up', async () => {
  await Promise.all(tried.map(slowReader));
});

async function slowReader(major: number): Promise<void> {
  await using database = await createChild(major);
  const queueBytes = 1 << 20;
  await using provider = openChild(database, { queueBytes });
  const made = await provider.makeSlot();
  for (let i = 0; i < 40; i += 1) {
    await database.query(
      `insert into note select i, repeat('x', 1000) from generate_series(${i * 300}, ${i * 300 + 299}) i`,
    );
  }
  const seen: string[][] = [];
  let { position } = made;
  let most = 0;
  const whole = async (): Promise<void> => {
    for await (const part of provider.stream(position, {
      signal: AbortSignal.timeout(60_000),
      format: 'text',
    })) {
      seen.push(...(await transactionsOf(part)));
      ({ position } = part);
      if (seen.length < 3) {
        await until(
          () => {
            most = Math.max(most, provider.progress().queuedBytes);
            return !provider.progress().connected;
          },
          { what: 'the connection is closed', ms: 20_000 },
        );
        await until(async () => !(await slotActive(database, made.slot)), {
          what: 'the walsender ended',
        });
        await database.query('checkpoint');
      }
      provider.confirm(position);
    }
  };
  await assert.rejects(whole(), { code: 'reader_slow' });
  assert.ok(most >= queueBytes && most < queueBytes * 2 + (1 << 20), `${most} bytes queued`);
  assert.ok(seen.length > 1 && seen.length < 40, `${seen.length} transactions before the failure`);
  const rest = await readStream(
    provider,
    position,
    (so) => so.transactions.length >= 40 - seen.length,
  );
  assert.equal([...seen, ...rest.transactions].flat().length, 12_000);
  assert.equal(new Set([...seen, ...rest.transactions].flat()).size, 12_000, formatLsn(position));
}

async function slotActive(database: TestDatabase, slot: string): Promise<boolean> {
  const { rows } = await database.query(
    `select active from pg_replication_slots where slot_name = $1`,
    [slot],
  );
  return (rows as { active: boolean }[])[0]?.active ?? false;
}
