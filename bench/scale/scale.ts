/** One process with many children: what it holds and uses while nothing happens, and while every child writes a little. */
import { setPriority } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { Benchmark, BenchOptions, Section, Target } from '../benchmark.ts';
import { Country } from '../country.ts';
import { eventLoopDelayMs } from '../event-loop.ts';
import { cpuSeconds } from '../process-figures.ts';
import { median } from '../statistics.ts';
import { startServer } from '../server.ts';
import type { Cluster, Settings } from '../../node/testing/cluster.ts';
import { until } from '../../node/testing/until.ts';
import type { NodeProcess } from '../../node/testing/node-process.ts';
import { Children, heartbeatSeconds, parent, scaleSql, scaleTables } from './children.ts';

interface Measured {
  readonly children: number;
  readonly load: 'idle' | 'heartbeats and rows';
  readonly rssMiB: number;
  /** Of one core. */
  readonly cpuPercent: number;
  readonly connections: number;
  /** Age of the oldest of the newest heartbeats of the children, seconds, looked at each second; null: none is written. */
  readonly freshness: { readonly median: number; readonly most: number } | null;
  readonly eventLoopP99Ms: number;
}

const childrenPerServer = 16;
/**
 * A server wakes all its walsenders for each flush and each decodes all of its log, while in production each child has a
 * server. With a flush for each commit, 512 children that wrote took more than two processors by themselves: 2.4 to 3.2 ms
 * of processor for each commit at the writer, 5.0 at the walsenders. So commits share a flush.
 */
const sharedFlush = { synchronous_commit: 'off', wal_writer_delay: '1s' };
/** Of the children's servers, which come second when the processor is short: in production they are other machines. */
const nice = 10;
const database = 'region';

export const scale: Benchmark = {
  name: 'scale',
  async run(options: BenchOptions, say): Promise<Section> {
    await using stack = new AsyncDisposableStack();
    const most = Math.max(...options.children);
    const servers = Math.ceil(most / childrenPerServer);
    const clusters: Cluster[] = [];
    for (let at = 0; at < servers; at += 1) {
      const server = await startServer(options.major, {
        max_connections: 4 * childrenPerServer + 100,
        max_replication_slots: childrenPerServer + 10,
        max_wal_senders: childrenPerServer + 10,
        shared_buffers: '64MB',
        ...ioOf(options.major),
        ...sharedFlush,
      });
      clusters.push(stack.use(server));
      if (server.pid !== undefined) {
        setPriority(server.pid, nice);
      }
    }
    const subscriber = stack.use(
      await startServer(options.major, {
        max_connections: 4 * most + 100,
        shared_buffers: '64MB',
        ...ioOf(options.major),
      }),
    );
    await subscriber.query(`create database ${database}`);
    await subscriber.query(scaleSql, database);
    const children = stack.use(await Children.create(most, clusters));
    say(`${most} children stand`);
    const measured: Measured[] = [];
    for (const count of options.children) {
      for (const each of await measure({ count, children, subscriber, seconds: options.seconds })) {
        const { load, rssMiB, cpuPercent } = each;
        say(`${count} children, ${load}: ${rssMiB} MiB, ${cpuPercent.toFixed(1)} % of a core`);
        measured.push(each);
      }
    }
    return section(measured);
  },
};

/** Of servers by the dozen on one machine: no processes beside them that only read ahead. */
function ioOf(major: number): Settings {
  return major >= 18 ? { io_method: 'sync' } : {};
}

interface Scene {
  readonly count: number;
  readonly children: Children;
  readonly subscriber: Cluster;
  readonly seconds: number;
}

async function measure({ count, children, subscriber, seconds }: Scene): Promise<Measured[]> {
  const region = { name: parent, level: 'region', parent: null, cluster: subscriber, database };
  await using country = await Country.create({
    places: [region, ...children.places.slice(0, count)],
    tables: scaleTables,
    heartbeat: `${heartbeatSeconds}s`,
  });
  await country.prepare([parent]);
  const process = country.run(parent);
  await until(async () => (await connected(country)) === count, {
    what: `${count} streams are connected`,
    ms: 300_000,
    everyMs: 500,
  });
  const about = { count, country, process, subscriber, seconds };
  const idle = await figures(about, 'idle');
  const since = performance.now();
  await children.work(count);
  // With its first change a stream asks its child for the table's definition, on a connection of its own.
  await until(async () => (await oldest(subscriber)) < (performance.now() - since) / 1000, {
    what: `${count} children are heard`,
    ms: 300_000,
    everyMs: 500,
  });
  await pause(5 * heartbeatSeconds * 1000);
  const busy = await figures(about, 'heartbeats and rows');
  await children.rest();
  return [idle, busy];
}

async function connected(country: Country): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${country.httpPort(parent)}/api/status`);
  const { streams } = (await response.json()) as { streams: { state: string }[] };
  return streams.filter(({ state }) => state === 'streaming').length;
}

async function figures(
  scene: Omit<Scene, 'children'> & { readonly country: Country; readonly process: NodeProcess },
  load: Measured['load'],
): Promise<Measured> {
  const { count, country, process, subscriber, seconds } = scene;
  await pause(2000);
  await eventLoopDelayMs(country.httpPort(parent));
  const started = performance.now();
  const before = await cpuSeconds(process.pid);
  const ages: number[] = [];
  while (performance.now() - started < seconds * 1000) {
    await pause(1000);
    ages.push(await oldest(subscriber));
  }
  const used = (await cpuSeconds(process.pid)) - before;
  const cpuPercent = (100 * used) / ((performance.now() - started) / 1000);
  const eventLoopP99Ms = await eventLoopDelayMs(country.httpPort(parent));
  const { rows } = await subscriber.query(
    `select count(*)::int as connections from pg_stat_activity where application_name like 'tributary%'`,
    database,
  );
  const [row] = rows as { connections: number }[];
  return {
    children: count,
    load,
    rssMiB: Math.round((await process.memory('VmRSS')) / 2 ** 20),
    cpuPercent,
    connections: row?.connections ?? 0,
    freshness: load === 'idle' ? null : { median: median(ages), most: Math.max(...ages) },
    eventLoopP99Ms,
  };
}

/** Age of the oldest of the children's newest heartbeats, seconds; infinite while one was never heard. */
async function oldest(subscriber: Cluster): Promise<number> {
  const { rows } = await subscriber.query(
    `select case when count(age) = count(*) then extract(epoch from max(age))::float8 end as age from tributary.freshness`,
    database,
  );
  const [row] = rows as { age: number | null }[];
  return row?.age ?? Infinity;
}

function section(measured: readonly Measured[]): Section {
  return {
    name: 'scale',
    title: 'Children of one process',
    notes: [
      `Databases of servers with ${childrenPerServer} each; idle: connected, nothing is written; heartbeats and rows: every child writes a`,
      `heartbeat every ${heartbeatSeconds} s and a row every ${5 * heartbeatSeconds} s, and commits share a flush (${sharedFlush.wal_writer_delay}). Freshness: the oldest`,
      'of the newest heartbeats of all children, looked at each second.',
    ],
    columns: [
      'children',
      'load',
      'RSS MiB',
      'cpu %',
      'connections here',
      'freshness s: median',
      'most',
      'loop p99 ms',
    ],
    rows: measured.map((each) => [
      each.children,
      each.load,
      each.rssMiB,
      each.cpuPercent,
      each.connections,
      each.freshness?.median ?? null,
      each.freshness?.most ?? null,
      each.eventLoopP99Ms,
    ]),
    targets: measured.filter(({ children }) => children === 512).flatMap(targets),
    measured,
  };
}

function targets(each: Measured): Target[] {
  const what = (figure: string): string => `512 children, ${each.load}: ${figure}`;
  return [
    { what: what('RSS MiB'), value: each.rssMiB, wanted: { atMost: 512 } },
    ...(each.load === 'idle'
      ? [{ what: what('% of a core'), value: each.cpuPercent, wanted: { atMost: 20 } }]
      : [
          {
            what: what('freshness s, most'),
            value: each.freshness?.most ?? Infinity,
            wanted: { atMost: 5 },
          },
        ]),
  ];
}
