/** A PostgreSQL server of a benchmark: durable as in production, and quiet, so that only what is measured works. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ident } from '../node/database/ident.ts';
import { Cluster, type Settings } from '../node/testing/cluster.ts';
import { createRoles } from '../node/testing/database.ts';
import { programs } from '../node/testing/server-programs.ts';

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
export async function startServer(major: number, settings: Settings = {}): Promise<Cluster> {
  return await withRoles(
    await Cluster.start({ major, settings: { ...serverSettings, ...settings } }),
  );
}

/** Whether the distribution's PostgreSQL of that major is here, and pglogical in it. */
export function hasPglogical(major: number): boolean {
  const library = join(programs(major), '../lib/pglogical.so');
  return existsSync(library) && existsSync(join(programs(major), 'postgres'));
}

/** The distribution's server with pglogical loaded: an extension is found only by the server it was installed for. */
export async function startWithPglogical(major: number): Promise<Cluster> {
  const settings = { ...serverSettings, shared_preload_libraries: 'pglogical' };
  const cluster = await Cluster.start({ major, settings, programs: programs(major) });
  const trusted = await cluster.query(
    `select from pg_settings where name = 'output_plugin_libraries'`,
  );
  // Newer minor releases trust only the plugins that are named.
  if (trusted.rows.length > 0) {
    await cluster.query(`alter system set output_plugin_libraries = pgoutput, pglogical_output`);
    await cluster.query(`select pg_reload_conf()`);
  }
  return await withRoles(cluster);
}

/** With its sessions. */
export async function dropDatabase(cluster: Cluster, name: string): Promise<void> {
  // pglogical's supervisor never answers what every process is asked when a database is dropped; it comes back after 5 s.
  await cluster.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity where backend_type like 'pglogical supervisor%'`,
  );
  await cluster.query(`drop database if exists ${ident(name)} with (force)`);
}

async function withRoles(cluster: Cluster): Promise<Cluster> {
  await createRoles(async (sql) => await cluster.query(sql));
  return cluster;
}
