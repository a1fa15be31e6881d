/** Ranges of the published tables, read at real providers as the reading role. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tuple } from '../pgoutput/tuple.ts';
import { createChild } from '../testing/child.ts';
import { majors, newest, roles } from '../testing/database.ts';
import { failsWith } from '../testing/fails-with.ts';
import { openChild } from '../testing/stream-reader.ts';
import type { TableColumns } from './reader.ts';
import { sees } from './snapshot.ts';

const report: TableColumns = {
  schema: 'public',
  name: 'report',
  columns: ['id', 'status', 'body'],
  key: ['id'],
};

function texts(rows: readonly Tuple[]): (string | null)[][] {
  return rows.map((row) =>
    Array.from({ length: row.count }, (_, n) => row.value(n)?.toString() ?? null),
  );
}

const inText = (a: unknown, b: unknown): number => String(a).localeCompare(String(b));

for (const major of majors().filter((each) => each === 15 || each === 18)) {
  void test(`PostgreSQL ${major}: a range holds the approved rows only, in pages bounded by rows and bytes`, async () => {
    await using database = await createChild(major);
    await database.query(
      `insert into report select n, case when n % 2 = 0 then 'approved' else 'draft' end, repeat('x', 100) from generate_series(1, 20) n`,
    );
    await using provider = openChild(database);
    await using reader = await provider.openReader();
    await using view = await reader.look();
    const all = { after: null, upto: null };
    const { tuples: first } = await view.rows(report, all, {
      rows: 3,
      bytes: 1e6,
      form: 'text',
    });
    assert.deepEqual(
      texts(first).map(([id, status]) => [id, status]),
      [
        ['2', 'approved'],
        ['4', 'approved'],
        ['6', 'approved'],
      ],
    );
    const { tuples: few } = await view.rows(
      report,
      { after: ['6'], upto: ['16'] },
      { rows: 100, bytes: 250, form: 'binary' },
    );
    assert.deepEqual(
      few.map((row) => row.value(0)?.readInt32BE(0)),
      [8, 10, 12],
      'no row begins after 250 bytes',
    );
    const { tuples: end } = await view.rows(
      report,
      { after: ['20'], upto: null },
      { rows: 9, bytes: 1e6, form: 'text' },
    );
    assert.deepEqual(end, []);
    const byKey = await view.rowsByKey(report, [['4'], ['5'], ['400']], {
      bytes: 1e6,
      form: 'text',
    });
    assert.deepEqual(
      texts(byKey).map(([id]) => id),
      ['4'],
    );
    const blocks = await view.blocks(report, [all], { rows: 8, block: 3 });
    assert.deepEqual(
      blocks.map(({ lastKey, count }) => [lastKey, count]),
      [
        [['6'], 3],
        [['12'], 3],
        [null, 2],
      ],
    );
    assert.ok((await view.storedBytes(report)) > 0);
    assert.equal(await view.hasDigests(), true);
    assert.deepEqual(await view.keyAfter(report, null, 3), ['6']);
    assert.deepEqual(await view.keyAfter(report, ['6'], 7), ['20']);
    assert.equal(await view.keyAfter(report, ['6'], 8), null);
    const whole = await view.digest(report, all);
    const halves = [
      await view.digest(report, { after: null, upto: ['6'] }),
      await view.digest(report, { after: ['6'], upto: null }),
    ];
    assert.deepEqual(
      halves.map(({ count }) => count),
      [3, 7],
    );
    assert.equal(whole.count, 10);
    assert.equal(
      whole.digest,
      halves.reduce((sum, { digest }) => sum + digest, 0n),
    );
    const hashes = await view.hashes(report, [
      { after: null, upto: ['6'] },
      { after: ['16'], upto: null },
    ]);
    assert.deepEqual(
      hashes.map(({ range, key }) => [range, key]),
      [
        [0, ['2']],
        [0, ['4']],
        [0, ['6']],
        [1, ['18']],
        [1, ['20']],
      ],
    );
    const one = await view.hashesByKey(report, [['5'], ['4']]);
    assert.deepEqual([...one], [[1, hashes[1]?.hash]]);
    const sum = hashes.slice(0, 3).reduce((all, { hash }) => all + hash, 0n);
    assert.equal(blocks[0]?.digest, sum, 'a digest is the sum of the hashes of its rows');
  });

  void test(`PostgreSQL ${major}: rows of origins that come by another way are left out of every answer`, async () => {
    await using database = await createChild(major);
    await database.query(
      `insert into report values (1, 'approved', 'own'), (2, 'approved', 'it''s'), (3, 'approved', 'moved'), (4, 'approved', null), (5, 'approved', 'own')`,
    );
    await using provider = openChild(database);
    await using reader = await provider.openReader();
    const all = { after: null, upto: null };
    const keys = ['1', '2', '3', '4', '5'].map((key) => [key]);
    const most = { rows: 10, bytes: 1e6, form: 'text' } as const;
    const seen = async (): Promise<unknown> => {
      await using view = await reader.look();
      const rows = texts((await view.rows(report, all, most)).tuples).map(([id]) => id);
      const byKey = texts(await view.rowsByKey(report, keys, most)).map(([id]) => id);
      const hashes = (await view.hashes(report, [all])).map(({ key }) => key[0]);
      const hashed = [...(await view.hashesByKey(report, keys)).keys()].map((n) => keys[n]?.[0]);
      const [block] = await view.blocks(report, [all], { rows: 10, block: 10 });
      assert.deepEqual(
        [byKey.toSorted(inText), hashes, hashed.toSorted(inText), block?.count],
        [rows, rows, rows, rows.length],
      );
      return rows;
    };
    assert.deepEqual(await seen(), ['1', '2', '3', '4', '5']);
    await reader.leaveOut({ column: 'body', origins: ['moved', `it's`, '"'] });
    assert.deepEqual(await seen(), ['1', '4', '5']);
    await reader.leaveOut({ column: 'not_published', origins: ['moved'] });
    assert.deepEqual(await seen(), ['1', '2', '3', '4', '5']);
    await reader.leaveOut({ column: 'body', origins: ['own'] });
    assert.deepEqual(await seen(), ['2', '3', '4']);
    await reader.leaveOut({ column: 'body', origins: [] });
    assert.deepEqual(await seen(), ['1', '2', '3', '4', '5']);
  });

  void test(`PostgreSQL ${major}: what is not published can not be read`, async () => {
    await using database = await createChild(major);
    await using provider = openChild(database);
    await using reader = await provider.openReader();
    await database.query(
      `insert into report values (1, 'draft', 'secret'), (2, 'approved', 'open'); insert into unrelated values (1, 'secret')`,
    );
    {
      await using view = await reader.look();
      const rows = await view.rowsByKey(report, [['1'], ['2']], { bytes: 1e6, form: 'text' });
      assert.deepEqual(texts(rows), [['2', 'approved', 'open']]);
    }
    await using view = await reader.look();
    await assert.rejects(
      view.estimate({ ...report, name: 'unrelated' }),
      failsWith('provider_not_prepared'),
    );
    await assert.rejects(
      database.query(`set role ${roles.reader}; select * from report`),
      /permission denied/,
    );
  });

  void test(`PostgreSQL ${major}: a value leaves in text form as the walsender writes it`, async () => {
    await using database = await createChild(major);
    await database.query(
      `create type mood as enum ('sad', 'it''s fine');
       create type pair as (a int, b text);
       create table public.odd (
         id int primary key, flag boolean, padded char(5), address inet, mood mood, pair pair, empty pair, list text[], at timestamptz, span interval, raw bytea
       );
       alter publication tributary_up add table public.odd;
       insert into odd values (
         1, true, 'ab', '10.0.0.1', 'it''s fine', (1, null), (null, null), array['a,b', null, '"'], '2026-01-02 03:04:05+02', '1 day 2 hours', '\\x00ff'
       )`,
    );
    await using provider = openChild(database);
    const slot = await provider.makeSlot();
    await using reader = await provider.openReader();
    await using view = await reader.look();
    const columns = [
      'id',
      'flag',
      'padded',
      'address',
      'mood',
      'pair',
      'empty',
      'list',
      'at',
      'span',
      'raw',
    ];
    const { tuples } = await view.rows(
      { schema: 'public', name: 'odd', columns, key: ['id'] },
      { after: null, upto: null },
      { rows: 9, bytes: 1e6, form: 'text' },
    );
    const [row] = texts(tuples);
    await database.query(`update odd set id = 2`);
    let streamed: (string | null)[] = [];
    const signal = AbortSignal.timeout(20_000);
    for await (const part of provider.stream(slot.position, { signal, format: 'text' })) {
      for await (const slice of part.slices()) {
        for (const { changes } of slice) {
          for (const change of changes) {
            if (change.kind === 'update' && change.new) {
              streamed = texts([change.new])[0] ?? [];
            }
          }
        }
      }
      if (streamed.length > 0) {
        break;
      }
    }
    assert.deepEqual(row?.slice(1), streamed.slice(1));
    assert.equal(streamed.length, columns.length);
  });

  void test(`PostgreSQL ${major}: a view does not see what still runs, and names it`, async () => {
    await using database = await createChild(major);
    const open = await database.admin.connect();
    await open.query(`begin; insert into report values (1, 'approved', 'x')`);
    const { rows } = await open.query(`select pg_current_xact_id()::text as xid`);
    const xid = Number((rows as { xid: string }[])[0]?.xid);
    await using provider = openChild(database);
    await using reader = await provider.openReader();
    assert.ok((await reader.runningXids()).has(xid));
    {
      await using view = await reader.look();
      assert.equal(sees(view.snapshot, xid), false);
    }
    await open.query('commit');
    open.release();
    await using view = await reader.look();
    assert.equal(sees(view.snapshot, xid), true);
  });
}

void test('a digest is the same on every version', async () => {
  const found = await Promise.all(
    majors().map(async (major) => {
      await using database = await createChild(major);
      await database.query(
        `insert into report select n, 'approved', 'ä' || n from generate_series(1, 500) n`,
      );
      await using provider = openChild(database);
      await using reader = await provider.openReader();
      await using view = await reader.look();
      const all = { after: null, upto: null };
      return {
        blocks: await view.blocks(report, [all], { rows: 500, block: 100 }),
        whole: await view.digest(report, all),
      };
    }),
  );
  assert.equal(found[0]?.blocks.length, 5);
  assert.equal(found[0].whole.count, 500);
  for (const digests of found) {
    assert.deepEqual(digests, found[0]);
  }
});

void test('a provider of an older release is not asked for what it has not', async () => {
  await using database = await createChild(newest());
  await database.query(
    `revoke execute on function tributary.published_key_after(text, text, text[], text[], bigint) from ${roles.reader}`,
  );
  const again = `grant execute on function tributary.published_key_after(text, text, text[], text[], bigint) to ${roles.reader}`;
  await using provider = openChild(database);
  {
    await using reader = await provider.openReader();
    await using view = await reader.look();
    assert.equal(await view.hasDigests(), false);
  }
  await database.query(
    `${again}; drop function tributary.published_digest(text, text, text[], text[], text[], text[])`,
  );
  await using reader = await provider.openReader();
  await using view = await reader.look();
  assert.equal(await view.hasDigests(), false);
  const { tuples } = await view.rows(
    report,
    { after: null, upto: null },
    { rows: 1, bytes: 1, form: 'text' },
  );
  assert.deepEqual(tuples, []);
});
