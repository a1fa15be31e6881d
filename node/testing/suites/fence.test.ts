import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeProcess } from '../node-process.ts';
import { Random } from '../random.ts';
import { assertUnbroken, movesOf, watchMoves } from '../stream-watch.ts';
import { Tree } from '../tree.ts';
import { Workload } from '../workload.ts';

const pair = { north: null, district_a: 'north' } as const;
const fromA = { subscriber: 'north', provider: 'district_a' };

/** A process that stands still keeps its slot until the walsender gives it up. */
const settings = { wal_sender_timeout: '3s' };

const lockHolders = `
  select a.pid, a.client_port as port
  from pg_locks l join pg_stat_activity a using (pid)
  where l.locktype = 'advisory' and l.granted and a.application_name like '%leader'`;

async function cutLock(tree: Tree): Promise<void> {
  await tree
    .node('north')
    .database.query(`select pg_terminate_backend(pid, 5000) from (${lockHolders}) holder`);
}

/** Id of the session that holds the leader's lock of north. */
async function leader(tree: Tree): Promise<number | null> {
  const [row] = await tree.node('north').database.query<{ pid: number }>(lockHolders);
  return row?.pid ?? null;
}

async function epoch(tree: Tree): Promise<number> {
  const [row] = await tree
    .node('north')
    .database.query<{ epoch: number }>(`select epoch::int as epoch from tributary.stream`);
  return row?.epoch ?? 0;
}

async function waiting(tree: Tree, process: NodeProcess): Promise<void> {
  const seen = process.log.length;
  await tree.until(() => process.log.slice(seen).includes('waiting for its turn'), {
    what: 'the second process waits for its turn',
  });
}

void test('the lock cut again and again under load: one process at a time, nothing applied twice', async (t) => {
  const seed = Random.seedOfRun();
  t.diagnostic(`seed ${seed}`);
  await using tree = await Tree.create({ parents: pair, settings });
  await watchMoves(tree, 'north');
  const second = tree.startSecond('north');
  await waiting(tree, second);
  const stop = new AbortController();
  const load = new Workload({ seed, leaves: tree.leaves, pauseMs: 2 }).run(stop.signal);
  const before = await epoch(tree);
  for (let round = 0; round < 5; round += 1) {
    const held = await leader(tree);
    const at = await epoch(tree);
    await cutLock(tree);
    await tree.until(
      async () => {
        const holder = await leader(tree);
        return holder !== null && holder !== held && (await epoch(tree)) > at;
      },
      { what: 'a process serves again' },
    );
    const moved = (await movesOf(tree, fromA)).length;
    await tree.until(async () => (await movesOf(tree, fromA)).length > moved + 2, {
      what: 'rows flow again',
    });
  }
  stop.abort();
  await load;
  await tree.waitLevel();
  const moves = await assertUnbroken(tree, fromA);
  t.diagnostic(`${moves} moves, epoch ${before} to ${await epoch(tree)}`);
  assert.ok(moves > 15);
});

void test('a process that stood still in an open transaction finds itself fenced and rolls back', async (t) => {
  await using tree = await Tree.create({ parents: pair, settings });
  await watchMoves(tree, 'north');
  const north = tree.node('north').database;
  const first = tree.process('north');
  const second = tree.startSecond('north');
  await waiting(tree, second);

  // Its transaction has written the one table and waits for the other.
  const other = await north.client();
  await other.query('begin; lock table public.laboratory_result in share mode');
  await tree.node('district_a').database.query(
    `begin;
     insert into public.case_report (id, status) select gen_random_uuid(), 'approved' from generate_series(1, 50);
     insert into public.laboratory_result (id, released) select gen_random_uuid(), true from generate_series(1, 50);
     commit`,
  );
  const stuck = await tree.until(
    async () => {
      const rows = await north.query<{ pid: number }>(
        `select a.pid from pg_stat_activity a join pg_locks l using (pid)
         where a.application_name like 'tributary north apply%' and a.wait_event_type = 'Lock'
           and l.relation = 'public.case_report'::regclass and l.mode = 'RowExclusiveLock'`,
      );
      return rows[0];
    },
    { what: 'the transaction is half way', everyMs: 5 },
  );
  first.signal('SIGSTOP');
  const at = await epoch(tree);
  await cutLock(tree);
  await other.query('rollback');
  await other.end();
  await tree.until(async () => (await epoch(tree)) > at, { what: 'the second takes over' });
  const [open] = await north.query<{ state: string }>(
    `select state from pg_stat_activity where pid = $1`,
    [stuck.pid],
  );
  assert.equal(open?.state, 'idle in transaction');
  const logged = first.log.length;
  first.signal('SIGCONT');

  await tree.waitLevel();
  const late = (await movesOf(tree, fromA)).filter(({ backend }) => backend === stuck.pid);
  t.diagnostic(`${late.length} moves by the first process before it stood still`);
  await assertUnbroken(tree, fromA);
  const [held] = await north.query<{ rows: number }>(
    `select count(*)::int as rows from public.case_report`,
  );
  assert.equal(held?.rows, 50);
  const [last] = (await movesOf(tree, fromA)).slice(-1);
  assert.notEqual(last?.backend, stuck.pid);
  await tree.until(() => first.log.slice(logged).includes('waiting for its turn'), {
    what: 'the first waits for its turn again',
  });
  const [left] = await north.query(`select from pg_stat_activity where pid = $1`, [stuck.pid]);
  assert.equal(left, undefined);
});

void test('a process that stands still loses its turn by itself', async () => {
  await using tree = await Tree.create({ parents: pair, settings });
  await watchMoves(tree, 'north');
  const first = tree.process('north');
  const second = tree.startSecond('north');
  await waiting(tree, second);
  const at = await epoch(tree);
  first.signal('SIGSTOP');
  await tree
    .node('district_a')
    .database.query(`insert into public.facility (code, name) values ('still', 'x')`);
  await tree.until(async () => (await epoch(tree)) > at, {
    what: 'the second takes over',
    ms: 60_000,
  });
  await tree.waitLevel();
  const logged = first.log.length;
  first.signal('SIGCONT');
  await tree.until(() => first.log.slice(logged).includes('waiting for its turn'), {
    what: 'the first waits for its turn',
  });
  await assertUnbroken(tree, fromA);
});
