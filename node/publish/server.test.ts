/** On servers of their own: what concerns the whole cluster, as roles, settings and slots. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Topology } from '../config/model.ts';
import { Cluster } from '../testing/cluster.ts';
import { majors, newest, roles } from '../testing/database.ts';
import { nodeOf, setUp, topologyOf } from '../testing/publish-fixture.ts';
import { checkNode } from './check.ts';
import type { Finding } from './finding.ts';
import { builtIn } from './intent.ts';
import { prepareNode } from './prepare.ts';

function topologyAt(cluster: Cluster, node: Parameters<typeof nodeOf>[3] = {}): Topology {
  return topologyOf(undefined, [
    nodeOf('north', 'region', null),
    nodeOf('district_a', 'district', 'north', {
      url: cluster.url({ user: roles.writer }),
      ...node,
    }),
  ]);
}

async function findings(topology: Topology): Promise<ReadonlyMap<string, Finding>> {
  const found = await checkNode({ topology, node: 'district_a' });
  return new Map(found.map((finding) => [`${finding.code} ${finding.object}`, finding]));
}

for (const major of majors().filter((one) => one === 15 || one === newest())) {
  void test(`on a fresh server of PostgreSQL ${major} a superuser's prepare makes the roles with all their rights`, async () => {
    await using cluster = await Cluster.start({ major });
    await cluster.query(setUp);
    const topology = topologyAt(cluster, { outage: { logBytes: 2 ** 30 } });
    const options = { topology, node: 'district_a', adminUrl: cluster.url() };
    await prepareNode(options);
    for (const role of [roles.writer, roles.reader]) {
      const { rows } = await cluster.query(
        `select rolpassword is null as open from pg_authid where rolname = '${role}'`,
      );
      assert.deepEqual(rows, [{ open: true }], 'no password is made up');
      await cluster.query(`alter role ${role} password '${role}'`);
    }
    const second = await prepareNode(options);
    assert.deepEqual(second.done, []);
    const left = await findings(topology);
    assert.deepEqual(
      [...left.values()].filter((finding) => finding.severity !== 'info').map(({ code }) => code),
      ['not_durable'],
    );
    const { rows } = await cluster.query('show max_slot_wal_keep_size');
    assert.deepEqual(rows, [{ max_slot_wal_keep_size: '1GB' }]);
  });
}

void test('check names wal_level, full slots and a log without bound, and each advice mends', async () => {
  const settings = { wal_level: 'replica', max_replication_slots: 1, max_wal_senders: 4 };
  await using cluster = await Cluster.start({ major: newest(), settings });
  await cluster.query(setUp);
  const topology = topologyAt(cluster, { disk: { path: cluster.directory } });
  await cluster.query(`create role ${roles.writer} login password '${roles.writer}'`);
  await cluster.query(`select pg_create_physical_replication_slot('other')`);
  const before = await findings(topology);
  assert.match(
    before.get('wal_level wal_level')?.advice ?? '',
    /wal_level = 'logical'; then restart/,
  );
  assert.match(before.get('none_left max_replication_slots')?.advice ?? '', /= 6; then restart/);
  for (const key of ['log_unbounded max_slot_wal_keep_size', 'tcp_keepalive tcp_keepalives_idle']) {
    const advice = before.get(key)?.advice ?? '';
    for (const one of advice.split(';').slice(0, -1)) {
      await cluster.query(one);
    }
  }
  assert.ok(before.has(`right_missing ${roles.writer}`));
  await cluster.query(`grant set on parameter session_replication_role to ${roles.writer}`);
  await cluster.query(`grant pg_signal_backend, pg_monitor to ${roles.writer}`);
  await cluster.stop();
  await cluster.start({ wal_level: 'logical', max_replication_slots: 6 });
  const after = await findings(topology);
  const gone = ['wal_level', 'none_left', 'log_unbounded', 'tcp_keepalive', 'right_missing'];
  assert.deepEqual(
    [...after.values()].filter((finding) => gone.includes(finding.code)),
    [],
  );
  await cluster.query(`alter system set max_slot_wal_keep_size = '2000TB'`);
  await cluster.query('select pg_reload_conf()');
  const wide = await findings(topology);
  assert.ok(wide.has('log_bound_exceeds_disk max_slot_wal_keep_size'));
});

void test('the built-in tables are described as the migrations make them', async () => {
  await using cluster = await Cluster.start({ major: newest() });
  await cluster.query(setUp);
  await prepareNode({ topology: topologyAt(cluster), node: 'district_a', adminUrl: cluster.url() });
  for (const { name, columns } of builtIn) {
    const { rows } = await cluster.query(
      `select attname::text as name from pg_attribute where attrelid = 'tributary.${name}'::regclass and attnum > 0 order by attnum`,
    );
    assert.deepEqual(
      (rows as { name: string }[]).map((row) => row.name),
      columns,
    );
  }
});

void test('prepare as superuser lets the writer monitor, and the parent not', async () => {
  await using cluster = await Cluster.start({ major: newest() });
  await cluster.query(setUp);
  await prepareNode({ topology: topologyAt(cluster), node: 'district_a', adminUrl: cluster.url() });
  const { rows } = await cluster.query(
    `select pg_has_role('${roles.writer}', 'pg_monitor', 'usage') as writer,
       pg_has_role('${roles.reader}', 'pg_monitor', 'usage') as reader`,
  );
  assert.deepEqual(rows, [{ writer: true, reader: false }]);
});
