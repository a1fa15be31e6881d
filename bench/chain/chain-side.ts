/** Three levels with one stream from each to the next: Tributary's, or PostgreSQL's own. */
import { ident, literal } from '../../node/database/ident.ts';
import type { Cluster } from '../../node/testing/cluster.ts';
import { roles } from '../../node/testing/database.ts';
import { until } from '../../node/testing/until.ts';
import { Country } from '../country.ts';
import { arrivalsSql, probeFilter, probeSql } from './probe.ts';

export interface ChainSide extends AsyncDisposable {
  readonly name: string;
  readonly district: string;
  readonly nation: string;
}

/** One server per level. */
export type Servers = Readonly<Record<'district' | 'region' | 'nation', Cluster>>;

export async function tributaryChain(servers: Servers): Promise<ChainSide> {
  await using stack = new AsyncDisposableStack();
  const database = await makeDatabases(servers, 'tributary_chain', stack);
  const levels = ['district', 'region', 'nation'] as const;
  const country = stack.use(
    await Country.create({
      places: levels.map((level, at) => ({
        name: level,
        level,
        parent: levels[at + 1] ?? null,
        cluster: servers[level],
        database,
      })),
      tables: `tables:\n  - table: public.probe\n    approved: ${probeFilter}\n    key: [n]\n`,
      heartbeat: '30s',
    }),
  );
  await country.prepare(levels);
  for (const level of levels) {
    country.run(level);
  }
  await streaming(servers.district, 'tributary_region');
  await streaming(servers.region, 'tributary_nation');
  return chainSide('Tributary', servers, { database, stack: stack.move() });
}

export async function nativeChain(
  servers: Servers,
  synchronousCommit: 'off' | 'on',
): Promise<ChainSide> {
  await using stack = new AsyncDisposableStack();
  const name = `native_chain_${synchronousCommit}`;
  const database = await makeDatabases(servers, name, stack);
  for (const cluster of [servers.district, servers.region]) {
    await cluster.query(
      `create publication up for table public.probe where (${probeFilter})`,
      database,
    );
  }
  const subscribe = async (from: Cluster, to: Cluster, slot: string): Promise<void> => {
    const place = `host=127.0.0.1 port=${from.port} dbname=${database} user=${roles.reader} password=${roles.reader}`;
    await to.query(
      `create subscription ${ident(slot)} connection ${literal(place)} publication up
       with (copy_data = false, binary = true, synchronous_commit = ${synchronousCommit})`,
      database,
    );
    stack.defer(async () => {
      await to.query(`drop subscription ${ident(slot)}`, database);
    });
    await streaming(from, slot);
  };
  await subscribe(servers.district, servers.region, `${name}_region`);
  await subscribe(servers.region, servers.nation, `${name}_nation`);
  const shown = `native binary, synchronous_commit ${synchronousCommit}`;
  return chainSide(shown, servers, { database, stack: stack.move() });
}

function chainSide(
  name: string,
  { district, nation }: Servers,
  { database, stack }: { readonly database: string; readonly stack: AsyncDisposableStack },
): ChainSide {
  return {
    name,
    district: district.url({ database }),
    nation: nation.url({ database }),
    [Symbol.asyncDispose]: async () => {
      await stack.disposeAsync();
    },
  };
}

async function makeDatabases(
  servers: Servers,
  database: string,
  stack: AsyncDisposableStack,
): Promise<string> {
  for (const cluster of Object.values(servers)) {
    await cluster.query(`create database ${ident(database)}`);
    stack.defer(async () => await dropDatabase(cluster, database));
    await cluster.query(probeSql, database);
  }
  await servers.nation.query(arrivalsSql, database);
  return database;
}

async function dropDatabase(cluster: Cluster, database: string): Promise<void> {
  const slots = `from pg_replication_slots where database = ${literal(database)}`;
  await cluster.query(`select pg_terminate_backend(active_pid, 5000) ${slots} and active`);
  await cluster.query(`select pg_drop_replication_slot(slot_name) ${slots}`);
  await cluster.query(`drop database ${ident(database)} with (force)`);
}

async function streaming(cluster: Cluster, slot: string): Promise<void> {
  await until(
    async () => {
      const { rows } = await cluster.query(
        `select from pg_replication_slots s join pg_stat_replication r on r.pid = s.active_pid
         where s.slot_name = ${literal(slot)} and r.state = 'streaming'`,
      );
      return rows.length > 0;
    },
    { what: `${slot} streams`, ms: 60_000, everyMs: 50 },
  );
}
