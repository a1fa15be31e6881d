import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { silent } from '../log.ts';
import { Cluster } from '../testing/cluster.ts';
import { majors, newest, roles } from '../testing/database.ts';
import { until } from '../testing/until.ts';
import { SlotWatch } from './slot-watch.ts';

const megabytes = 1 << 20;

/** A subscriber that starts the stream and never reads its socket again. */
async function deafSubscriber(cluster: Cluster): Promise<pg.Client> {
  const config: pg.ClientConfig & { replication: 'database' } = {
    connectionString: cluster.url({ user: roles.reader }),
    replication: 'database',
  };
  const client = new pg.Client(config);
  client.on('error', () => {});
  await client.connect();
  await client.query(
    `CREATE_REPLICATION_SLOT tributary_deaf LOGICAL pgoutput (SNAPSHOT 'nothing')`,
  );
  const { connection } = client as unknown as {
    readonly connection: NodeJS.EventEmitter & { readonly stream: { pause(): void } };
  };
  connection.once('replicationStart', () => {
    connection.stream.pause();
  });
  client
    .query(
      `START_REPLICATION SLOT tributary_deaf LOGICAL 0/0 (proto_version '1', publication_names 'tributary_up')`,
    )
    .catch(() => {});
  return client;
}

void test(
  'a walsender past its log bound whose client does not read is ended, and the checkpointer goes on',
  {
    timeout: 90_000,
  },
  async () => {
    await using cluster = await Cluster.start({
      major: majors().includes(15) ? 15 : newest(),
      settings: {
        max_slot_wal_keep_size: '48MB',
        max_wal_size: '64MB',
        min_wal_size: '32MB',
        checkpoint_timeout: '1h',
        wal_sender_timeout: 0,
      },
    });
    await cluster.query(
      `create role ${roles.writer} login password '${roles.writer}';
     create role ${roles.reader} login replication password '${roles.reader}';
     grant pg_monitor, pg_signal_backend to ${roles.writer};
     create table filler (id int, body text);
     alter table filler alter column body set storage plain;
     create publication tributary_up for table filler`,
    );
    const pool = new pg.Pool({ connectionString: cluster.url({ user: roles.writer }) });
    const watch = new SlotWatch({ pool, log: silent, everyMs: 200 });
    const stop = new AbortController();
    const deaf = await deafSubscriber(cluster);
    try {
      await watch.look();
      assert.equal(watch.figures?.[0]?.slot, 'tributary_deaf');
      assert.equal(watch.figures[0].walStatus, 'reserved');
      assert.ok((watch.figures[0].retainedBytes ?? Infinity) < 48 * megabytes);
      for (let i = 0; i < 30; i += 1) {
        await cluster.query(
          `insert into filler select i, repeat('x', 7000) from generate_series(1, 1000) i`,
        );
      }
      const checkpoint = cluster.query('checkpoint');
      await until(async () => await isStuck(cluster), {
        what: 'the walsender that was told to end waits for its client',
      });
      const watching = watch.run(stop.signal);
      await checkpoint;
      await until(() => watch.figures?.[0]?.walStatus === 'lost', { what: 'the slot is lost' });
      assert.equal(watch.figures?.[0]?.active, false);
      assert.equal(watch.figures?.[0]?.retainedBytes, null);
      stop.abort();
      await watching;
    } finally {
      stop.abort();
      (
        deaf as unknown as { connection: { stream: { destroy(): void } } }
      ).connection.stream.destroy();
      await pool.end();
    }
  },
);

async function isStuck(cluster: Cluster): Promise<boolean> {
  const { rows } = await cluster.query(
    `select from pg_replication_slots s
     join pg_stat_activity a on a.pid = s.active_pid
     where s.wal_status = 'unreserved' and a.wait_event = 'ClientWrite'`,
  );
  return rows.length === 1;
}

void test('slots of others are not looked at', async () => {
  await using cluster = await Cluster.start({ major: newest() });
  await cluster.query(`select pg_create_logical_replication_slot('other', 'pgoutput')`);
  await cluster.query(`select pg_create_logical_replication_slot('tributary_north', 'pgoutput')`);
  const pool = new pg.Pool({ connectionString: cluster.url() });
  try {
    const watch = new SlotWatch({ pool, log: silent });
    await watch.look();
    assert.deepEqual(
      watch.figures?.map(({ slot, active, walStatus }) => ({ slot, active, walStatus })),
      [{ slot: 'tributary_north', active: false, walStatus: 'reserved' }],
    );
  } finally {
    await pool.end();
  }
});
