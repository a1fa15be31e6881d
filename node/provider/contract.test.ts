/** The contract of the interface on real PostgreSQL, against `direct` and against `direct` through a local socket. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatLsn, noLsn, parseLsn } from '../pgoutput/lsn.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import { childName, createChild } from '../testing/child.ts';
import { majors } from '../testing/database.ts';
import type { TestDatabase } from '../testing/database.ts';
import { Proxy } from '../testing/proxy.ts';
import { openChild, readStream, transactionsOf } from '../testing/stream-reader.ts';
import type { Read } from '../testing/stream-reader.ts';
import { until } from '../testing/until.ts';
import type { DirectOptions } from './direct.ts';
import type { NewSlot, Provider, ProviderColumn } from './provider.ts';

interface Place extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly proxy: Proxy | null;
  open(options?: Partial<DirectOptions>): Provider;
}

async function place(major: number, through: 'directly' | 'through a socket'): Promise<Place> {
  const database = await createChild(major);
  const proxy = through === 'directly' ? null : await Proxy.start({ to: () => database.port });
  return {
    database,
    proxy,
    open: (options) => openChild(database, proxy ? { ...options, port: proxy.port } : options),
    async [Symbol.asyncDispose](): Promise<void> {
      await proxy?.[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

async function confirmedAt(database: TestDatabase, slot: string): Promise<Lsn> {
  const { rows } = await database.query(
    `select confirmed_flush_lsn::text as at from pg_replication_slots where slot_name = $1`,
    [slot],
  );
  return parseLsn((rows as { at: string }[])[0]?.at ?? '');
}

async function confirms(database: TestDatabase, slot: string, position: Lsn): Promise<void> {
  await until(async () => (await confirmedAt(database, slot)) === position, {
    what: `the slot's confirmed position is exactly ${formatLsn(position)}`,
  });
}

async function logEnd(database: TestDatabase): Promise<Lsn> {
  const { rows } = await database.query(`select pg_current_wal_insert_lsn()::text as at`);
  return parseLsn((rows as { at: string }[])[0]?.at ?? '');
}

function plain(name: string): Pick<ProviderColumn, 'typeModifier' | 'baseType'> {
  return { typeModifier: -1, baseType: { name, modifier: -1 } };
}

const tried = majors().filter((major) => major === 15 || major === 18);

for (const major of tried) {
  for (const through of ['directly', 'through a socket'] as const) {
    const where = `PostgreSQL ${major}, ${through}`;

    void test(`${where}: describes node, version and published tables with their columns`, async () => {
      await using at = await place(major, through);
      await using provider = at.open();
      const description = await provider.describe();
      assert.equal(description.node, childName);
      assert.equal(Math.floor(description.serverVersion / 10_000), major);
      assert.ok(Math.abs(description.clockSkewMs) < 1000);
      assert.deepEqual(
        description.tables.map((table) => `${table.schema}.${table.name}`),
        ['public.note', 'public.report', 'tributary.audit', 'tributary.heartbeat'],
      );
      assert.deepEqual(description.tables[1]?.columns, [
        { name: 'id', typeOid: 23, type: 'integer', ...plain('int4'), notNull: true },
        { name: 'status', typeOid: 25, type: 'text', ...plain('text'), notNull: true },
        { name: 'body', typeOid: 25, type: 'text', ...plain('text'), notNull: false },
      ]);
    });

    void test(`${where}: a new slot says where it starts and which tables had approved rows then`, async () => {
      await using at = await place(major, through);
      await using provider = at.open();
      await at.database.query(`insert into note values (1, 'old')`);
      await at.database.query(`insert into report values (1, 'draft', 'old')`);
      const made = await provider.makeSlot();
      assert.deepEqual(made.tablesWithRows, ['public.note']);
      assert.equal(await confirmedAt(at.database, made.slot), made.position);
      assert.deepEqual(await provider.prove(known(made)), []);
      if (major >= 17) {
        const { rows } = await at.database.query(
          `select failover from pg_replication_slots where slot_name = $1`,
          [made.slot],
        );
        assert.deepEqual(rows, [{ failover: true }], 'a standby may keep a copy of it');
      }
      await at.database.query(`update report set status = 'approved'`);
      const again = await provider.makeSlot();
      assert.deepEqual(again.tablesWithRows, ['public.note', 'public.report']);
      assert.ok(again.position > made.position);
      await provider.dropSlot();
      await provider.dropSlot();
      assert.deepEqual(
        (await provider.prove(known(again))).map((doubt) => doubt.name),
        ['slot_missing'],
      );
    });

    void test(`${where}: transactions arrive whole, in commit order, with truncate and message in their place`, async () => {
      await using at = await place(major, through);
      await using provider = at.open();
      const made = await provider.makeSlot();
      const first = await at.database.admin.connect();
      await first.query(`begin; insert into report values (1, 'approved', 'a')`);
      await at.database.query(`insert into report values (2, 'approved', null), (3, 'draft', 'x')`);
      await first.query(`select pg_logical_emit_message(true, 'mark', 'here')`);
      await first.query(`update report set status = 'draft' where id = 2; commit`);
      first.release();
      await at.database.query(`insert into unrelated values (1)`);
      await at.database.query(`insert into note values (1, 'n'); truncate note`);
      const read = await readStream(provider, made.position, (so) => so.transactions.length === 3);
      assert.deepEqual(read.transactions, [
        ['insert report 2,approved,null'],
        ['insert report 1,approved,a', 'message mark here', 'delete report 2,approved,null'],
        ['insert note 1,n', 'truncate note'],
      ]);
      await confirms(at.database, made.slot, read.position);
    });

    void test(`${where}: a restart resumes behind what was confirmed and repeats what was not`, async () => {
      await using at = await place(major, through);
      await using provider = at.open();
      const made = await provider.makeSlot();
      await at.database.query(`insert into note values (1, 'a')`);
      const first = await readStream(provider, made.position, (so) => so.transactions.length === 1);
      await at.database.query(`insert into note values (2, 'b')`);
      for await (const part of provider.stream(first.position, stopping())) {
        assert.deepEqual(await transactionsOf(part), [['insert note 2,b']]);
        break;
      }
      const again = await readStream(provider, first.position, (so) => so.transactions.length > 0);
      assert.deepEqual(again.transactions, [['insert note 2,b']]);
      assert.equal(provider.progress().connections, 3);
      assert.equal(provider.progress().connected, false);
    });

    void test(`${where}: commit records that touch are neither skipped nor repeated after a restart`, async () => {
      await using at = await place(major, through);
      await using provider = at.open();
      const made = await provider.makeSlot();
      const { ends, starts, steps } = await overlapping(at.database, provider, made.position);
      const touching = ends.flatMap((end, index) => (starts[index + 1] === end ? [index] : []));
      assert.ok(touching.length > 0, 'two commit records touch');
      for (const index of touching.slice(0, 5)) {
        const left = steps.slice(index + 1);
        const all = (so: Read): boolean => so.transactions.length >= left.length;
        const read = await readStream(provider, ends[index] ?? noLsn, all, { confirm: false });
        assert.deepEqual(read.transactions, left);
      }
    });

    void test(`${where}: a transaction larger than memory comes as one part, in slices, as often as asked`, async () => {
      await using at = await place(major, through);
      await using provider = at.open({ spoolBytes: 256 << 10, queueBytes: 1 << 20 });
      const made = await provider.makeSlot();
      await at.database.query(`begin; alter table note add column more text;
        insert into note select i, repeat('x', 500), 'm' from generate_series(1, 20000) i;
        truncate report; commit`);
      await at.database.query(`insert into note values (0, 'last', 'n')`);
      let slices = 0;
      for await (const part of provider.stream(made.position, stopping())) {
        if (part.spooled) {
          const [once, twice] = [await transactionsOf(part), await transactionsOf(part)];
          assert.equal(once[0]?.length, 20_001);
          assert.deepEqual(twice, once);
          assert.match(once[0]?.[19_999] ?? '', /^insert note 20000,x{500},m$/);
          assert.equal(once[0]?.[20_000], 'truncate report');
          assert.equal(part.transactionCount, 1);
          assert.ok(part.bytes > 10_000_000);
          for await (const slice of part.slices()) {
            assert.equal(slice.length, 1);
            slices += 1;
          }
          continue;
        }
        assert.deepEqual(await transactionsOf(part), [['insert note 0,last,n']]);
        break;
      }
      assert.ok(slices >= 3, `${slices} slices`);
      assert.ok(provider.progress().bytesReceived > 10_000_000);
    });

    void test(`${where}: an idle provider's log is given back by parts without transactions`, async () => {
      await using at = await place(major, through);
      await using provider = at.open();
      const made = await provider.makeSlot();
      await at.database.query(
        `insert into unrelated select i, repeat('x', 1000) from generate_series(1, 20000) i`,
      );
      const end = await logEnd(at.database);
      assert.ok(end - made.position > 16 << 20);
      const read = await readStream(provider, made.position, (so) => so.position >= end);
      assert.ok(read.parts.every((part) => part.transactionCount === 0));
      assert.ok(read.parts.length <= 3, `${read.parts.length} parts`);
      await confirms(at.database, made.slot, read.position);
    });

    void test(`${where}: an unchanged out-of-line value is marked, never null`, async () => {
      await using at = await place(major, through);
      await using provider = at.open();
      await at.database.query(`insert into report values (1, 'approved', repeat('x', 20000))`);
      const made = await provider.makeSlot();
      await at.database.query(`update report set id = 2 where id = 1`);
      const read = await readStream(provider, made.position, (so) => so.transactions.length === 1);
      assert.deepEqual(read.transactions, [['update report 2,approved,?']]);
    });
  }
}

function known(made: NewSlot): Parameters<Provider['prove']>[0] {
  return { ...made, node: childName, witness: null };
}

function stopping(): { signal: AbortSignal; format: 'text' } {
  return { signal: new AbortController().signal, format: 'text' };
}

/** Pairs of transactions that commit at the same moment: some commit records end exactly where the next begins. */
async function overlapping(
  database: TestDatabase,
  provider: Provider,
  from: Lsn,
): Promise<{ ends: Lsn[]; starts: Lsn[]; steps: string[][] }> {
  const [a, b] = [await database.admin.connect(), await database.admin.connect()];
  const count = 60;
  for (let i = 0; i < count; i += 2) {
    await a.query(`begin; insert into note values (${i}, 'a')`);
    await b.query(`begin; insert into note values (${i + 1}, 'b')`);
    await Promise.all([a.query('commit'), b.query('commit')]);
  }
  a.release();
  b.release();
  const ends: Lsn[] = [];
  const starts: Lsn[] = [];
  const steps: string[][] = [];
  for await (const part of provider.stream(from, stopping())) {
    for await (const slice of part.slices()) {
      ends.push(...slice.map((transaction) => transaction.endLsn));
      starts.push(...slice.map((transaction) => transaction.commitLsn));
    }
    steps.push(...(await transactionsOf(part)));
    if (steps.length === count) {
      break;
    }
  }
  return { ends, starts, steps };
}
