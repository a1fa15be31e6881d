/** A server's database in a newly initialised one at the same address: by dump and restore, and by pg_upgrade. */
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { restore } from './backup.ts';
import { Cluster } from './cluster.ts';
import { NodeDatabase } from './node-database.ts';
import { programs, runProgram } from './server-programs.ts';

/** Dumped, and restored into a new server with the same roles. Nobody may write meanwhile. */
export async function dumpIntoNew(database: NodeDatabase): Promise<void> {
  const { cluster } = database;
  const { major } = cluster;
  const bin = programs(major);
  const home = dirname(cluster.directory);
  const file = join(home, 'records.dump');
  await runProgram(
    join(bin, 'pg_dump'),
    ['--format=custom', `--file=${file}`, `--dbname=${withoutSecret(database)}`],
    home,
  );
  await using fresh = await NodeDatabase.create({ major, ownIdentity: true });
  await runProgram(
    join(bin, 'pg_restore'),
    ['--exit-on-error', `--dbname=${withoutSecret(fresh)}`, file],
    home,
  );
  await rm(file);
  await fresh.letGo();
  await fresh.cluster.stop();
  await restore(cluster, fresh.cluster);
}

/** The programs of one major stand for both servers: the same steps, and the same marks they leave. */
export async function upgrade({ cluster }: NodeDatabase): Promise<void> {
  const { major } = cluster;
  const bin = programs(major);
  // A newer minor release may look for functions that only its own initdb makes.
  await using fresh = await Cluster.start({ major, ownIdentity: true, programs: bin });
  await Promise.all([fresh.stop(), cluster.stop()]);
  const home = dirname(fresh.directory);
  await runProgram(
    join(bin, 'pg_upgrade'),
    [
      `--old-bindir=${bin}`,
      `--new-bindir=${bin}`,
      `--old-datadir=${cluster.directory}`,
      `--new-datadir=${fresh.directory}`,
      `--old-port=${cluster.port}`,
      `--new-port=${fresh.port}`,
      `--socketdir=${home}`,
      // The settings of the tests are no part of the data directory; the server refuses to start with a slot else.
      '--old-options=-c wal_level=logical',
      '--no-sync',
    ],
    home,
  );
  await restore(cluster, fresh);
}

/** The password is in the environment, not among the arguments. */
function withoutSecret(database: NodeDatabase): string {
  const url = new URL(database.url());
  url.password = '';
  return url.href;
}
