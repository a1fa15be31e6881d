/** A PostgreSQL server of a benchmark: durable as in production, and quiet, so that only what is measured works. */
import { Cluster, type Settings } from '../node/testing/cluster.ts';
import { createRoles } from '../node/testing/database.ts';

/** The same at provider and subscriber. Printed with the results. */
export const serverSettings: Settings = {
  fsync: 'on',
  shared_buffers: '256MB',
  max_wal_size: '8GB',
  checkpoint_timeout: '1h',
  autovacuum: 'off',
  max_replication_slots: 50,
  max_wal_senders: 50,
};

/** Runs, and holds the roles `prepare --plan` asks for. */
export async function startServer(settings: Settings = {}): Promise<Cluster> {
  const all = { ...serverSettings, ...settings };
  const cluster = await Cluster.start({ major: 18, settings: all });
  await createRoles(async (sql) => await cluster.query(sql));
  return cluster;
}
