import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusReport } from '../../monitor/status-report.ts';
import { untilStreaming } from '../stream-watch.ts';
import { Tree } from '../tree.ts';

type Fresh = StatusReport['freshness'][number];

const parents = {
  nation: null,
  north: 'nation',
  district_a: 'north',
  district_b: 'north',
  district_c: 'north',
} as const;

/** What a node says of an origin. */
async function fresh(tree: Tree, node: string, origin: string): Promise<Fresh> {
  const { freshness } = await tree.status<StatusReport>(node);
  const found = freshness.find((each) => each.origin === origin);
  assert.ok(found, `${node} says nothing of ${origin}`);
  return found;
}

async function heard(tree: Tree, node: string, origin: string): Promise<void> {
  await tree.until(async () => ((await fresh(tree, node, origin)).ageSeconds ?? 99) < 5, {
    what: `${node} heard of ${origin} lately`,
    ms: 45_000,
    everyMs: 200,
  });
}

/** Ages at each node; read again for a while, none may shrink or be zero, and each must pass the seconds. */
async function grow(
  tree: Tree,
  places: readonly (readonly [node: string, origin: string])[],
  seconds: number,
): Promise<void> {
  const last = places.map(() => 0);
  await tree.until(
    async () => {
      for (const [at, [node, origin]] of places.entries()) {
        const { ageSeconds } = await fresh(tree, node, origin);
        assert.ok(ageSeconds !== null && ageSeconds > 0, `${origin} at ${node} is unknown or 0`);
        // A heartbeat under way when the link was cut may still arrive in the first readings.
        if (ageSeconds > 3) {
          assert.ok(ageSeconds >= (last[at] ?? 0), `${origin} at ${node} grew younger`);
          last[at] = ageSeconds;
        }
      }
      return last.every((age) => age > seconds);
    },
    { what: `ages pass ${seconds} s`, throwing: true, everyMs: 300 },
  );
}

async function inSql(tree: Tree, node: string, origin: string): Promise<string> {
  const [row] = await tree.node(node).database.query<{ line: string }>(
    `select concat_ws(' ', via, complete, coalesce(reason, '-'), case when age is null then 'unknown' when age < '10 s' then 'young' else 'old' end) as line
       from tributary.freshness where origin = $1`,
    [origin],
  );
  return row?.line ?? '';
}

/** A column that is demanded here and not sent. */
async function forbidRows(tree: Tree, node: string): Promise<void> {
  await tree
    .node(node)
    .database.query(
      `alter table public.facility add column demanded text not null default ''; alter table public.facility alter column demanded drop default`,
    );
}

async function allowRows(tree: Tree, node: string): Promise<void> {
  await tree.node(node).database.query(`alter table public.facility drop column demanded`);
}

/** From now on the nation writes down, at each heartbeat of that origin, whether it counts as complete by then. */
async function watchWord(tree: Tree, origin: string): Promise<void> {
  await tree.node('nation').database.query(`
    create table public.word (
      number bigint generated always as identity primary key,
      lsn pg_lsn not null,
      complete boolean
    );
    create function public.write_word() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp
    as $$
    begin
      insert into public.word (lsn, complete)
      select new.lsn, f.complete from tributary.freshness f where f.origin = new.node;
      return null;
    end
    $$;
    create trigger write_word after insert or update on tributary.heartbeat
      for each row when (new.node = '${origin}') execute function public.write_word();
    alter table tributary.heartbeat enable always trigger write_word;
  `);
}

void test('freshness tells age and completeness of every origin at every level, and unknown as unknown', async (t) => {
  await using tree = await Tree.create({ parents, start: false });
  await tree.prepare();
  const a = tree.node('district_a').database;
  await a.query(`insert into public.facility (code, name) values ('before', 'x')`);
  // As long as a row of the table is impossible at the region, the first copy can not end.
  await forbidRows(tree, 'north');
  tree.link('district_c').refuse();
  for (const name of ['nation', 'north', 'district_a', 'district_b']) {
    tree.start(name);
  }
  for (const provider of ['district_a', 'district_b']) {
    await untilStreaming(tree, { subscriber: 'north', provider });
  }

  await t.test('linked, every origin is young at every level above', async () => {
    for (const origin of ['district_a', 'district_b']) {
      await heard(tree, 'north', origin);
      await heard(tree, 'nation', origin);
    }
    await heard(tree, 'nation', 'north');
  });

  await t.test(
    'only the origin whose first rows are missing is incomplete, with the reason',
    async () => {
      // The table may be left alone besides, as its rows are impossible at the region.
      for (const node of ['north', 'nation']) {
        const { complete, reason } = await fresh(tree, node, 'district_a');
        assert.equal(complete, false, node);
        assert.match(reason ?? '', /^north: first_copy(, blocked)?$/, node);
        assert.equal((await fresh(tree, node, 'district_b')).complete, true);
      }
      assert.equal((await fresh(tree, 'nation', 'north')).complete, true);
      assert.match(
        await inSql(tree, 'nation', 'district_a'),
        /^north f north: first_copy(, blocked)? young$/,
      );
      assert.equal(await inSql(tree, 'nation', 'district_b'), 'north t - young');
      assert.equal(await inSql(tree, 'north', 'district_b'), 'district_b t - young');
      await allowRows(tree, 'north');
      await tree.until(async () => (await fresh(tree, 'nation', 'district_a')).complete, {
        what: 'the first copy is through',
      });
      assert.equal(await inSql(tree, 'nation', 'district_a'), 'north t - young');
    },
  );

  await t.test('an origin never heard of has no age, and is not complete', async () => {
    for (const node of ['north', 'nation']) {
      const { ageSeconds, through, complete } = await fresh(tree, node, 'district_c');
      assert.deepEqual([ageSeconds, through, complete], [null, null, false]);
    }
    assert.match(await inSql(tree, 'nation', 'district_c'), /^north f .*unknown$/);
  });

  await t.test(
    'a cut link is an age that grows at every level above, and there alone',
    async () => {
      tree.link('district_b').refuse();
      await grow(
        tree,
        [
          ['north', 'district_b'],
          ['nation', 'district_b'],
        ],
        6,
      );
      await heard(tree, 'nation', 'district_a');
      tree.link('district_b').heal();
      await heard(tree, 'nation', 'district_b');
      // Silent, not refused: nothing tells north that the link is dead.
      tree.link('north').silence();
      await grow(
        tree,
        [
          ['nation', 'north'],
          ['nation', 'district_a'],
          ['nation', 'district_b'],
        ],
        6,
      );
      await heard(tree, 'north', 'district_b');
      tree.link('north').heal();
      await heard(tree, 'nation', 'district_b');
    },
  );

  await t.test(
    "the region's word about an origin comes before the origin's next heartbeat",
    async () => {
      await watchWord(tree, 'district_b');
      await tree.kill9('north');
      const b = tree.node('district_b').database;
      await tree.until(
        async () =>
          (
            await b.query(
              `select from pg_replication_slots where slot_name = 'tributary_north' and active`,
            )
          ).length === 0,
        { what: 'the slot is left' },
      );
      await b.query(`select pg_drop_replication_slot('tributary_north')`);
      await forbidRows(tree, 'north');
      await b.query(`insert into public.facility (code, name) values ('missed', 'x')`);
      await tree
        .node('north')
        .database.query(`delete from tributary.stream where provider = 'district_b'`);
      tree.start('north');
      await untilStreaming(tree, { subscriber: 'north', provider: 'district_b' });
      const [slot] = await tree
        .node('north')
        .database.query<{ lsn: string }>(
          `select (select lsn from tributary.heartbeat where node = 'district_b')::text as lsn`,
        );
      const words = await tree.until(
        async () => {
          const rows = await tree
            .node('nation')
            .database.query<{ complete: boolean; later: boolean }>(
              `select complete, lsn > $1::pg_lsn as later from public.word order by number`,
              [slot?.lsn],
            );
          return rows.filter(({ later }) => later).length > 2 ? rows : null;
        },
        { what: 'heartbeats by the new slot at the nation' },
      );
      assert.ok(words.filter(({ later }) => later).every(({ complete }) => !complete));
      // Once it was incomplete it stays so: no heartbeat in between counted as complete.
      const turn = words.findIndex(({ complete }) => !complete);
      assert.ok(words.slice(turn).every(({ complete }) => !complete));
      // The table may be left alone besides, as its rows are impossible at the region.
      assert.match((await fresh(tree, 'nation', 'district_b')).reason ?? '', /^north: first_copy/);
      await allowRows(tree, 'north');
      await tree.until(async () => (await fresh(tree, 'nation', 'district_b')).complete, {
        what: 'the missed row is there',
      });
    },
  );

  await t.test('`wait` waits, and says when it was in vain', async () => {
    await a.query(`insert into public.facility (code, name) values ('waited', 'x')`);
    const done = await tree.command('north', ['wait', '--stream', 'district_a', '--timeout', '30']);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    const north = tree.node('north').database;
    assert.equal(
      (await north.query(`select from public.facility where code = 'waited'`)).length,
      1,
    );
    const lock = await north.client();
    await lock.query('begin; lock table public.facility in share mode');
    await a.query(`insert into public.facility (code, name) values ('late', 'x')`);
    const vain = await tree.command('north', ['wait', '--stream', 'district_a', '--timeout', '1']);
    assert.equal(vain.code, 1, vain.stdout + vain.stderr);
    await lock.query('rollback');
    await lock.end();
  });

  await t.test('`status` exits 0, 1, 2 and 3', async () => {
    assert.equal((await tree.command('district_b', ['status'])).code, 0);
    const warning = await tree.command('nation', ['status']);
    assert.equal(warning.code, 1, warning.stdout);
    assert.match(warning.stdout, /nothing heard of district_c yet/);
    await tree.stop('nation');
    assert.equal((await tree.command('nation', ['status'])).code, 2);
    await tree.node('nation').database.cluster.stop('immediate');
    assert.equal((await tree.command('nation', ['status'])).code, 3);
  });
});
