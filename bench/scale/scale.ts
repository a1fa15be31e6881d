/** One process with many children: what it holds and uses while nothing happens, and while every child writes a little. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Benchmark, BenchOptions, Section, Target } from '../benchmark.ts';
import { Country } from '../country.ts';
import { eventLoopDelayMs } from '../event-loop.ts';
import { cpuSeconds } from '../process-figures.ts';
import { startServer } from '../server.ts';
import type { Cluster } from '../../node/testing/cluster.ts';
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
  /** Age of the oldest of the newest heartbeats of the children, seconds; null: none is written. */
  readonly freshnessSeconds: number | null;
  readonly eventLoopP99Ms: number;
}

/**
 * A server wakes all its walsenders for each commit and each decodes all of its log: 128 children on each of four servers,
 * a heartbeat of each every 2 s, are some 32,000 wake-ups a second of this bench's own making, by reckoning; in production each
 * child has a server.
 */
const childrenPerServer = 16;
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
        shared_buffers: '16MB',
        io_method: 'sync',
      });
      clusters.push(stack.use(server));
    }
    const subscriber = stack.use(
      await startServer(options.major, {
        max_connections: 4 * most + 100,
        shared_buffers: '64MB',
        io_method: 'sync',
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
  await children.work(count);
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
  await pause(seconds * 1000);
  const used = (await cpuSeconds(process.pid)) - before;
  const cpuPercent = (100 * used) / ((performance.now() - started) / 1000);
  const eventLoopP99Ms = await eventLoopDelayMs(country.httpPort(parent));
  const { rows } = await subscriber.query(
    `select
       (select count(*)::int from pg_stat_activity where application_name like 'tributary%') as connections,
       (select extract(epoch from max(age))::float8 from tributary.freshness) as age`,
    database,
  );
  const [row] = rows as { connections: number; age: number | null }[];
  return {
    children: count,
    load,
    rssMiB: Math.round((await process.memory('VmRSS')) / 2 ** 20),
    cpuPercent,
    connections: row?.connections ?? 0,
    freshnessSeconds: load === 'idle' ? null : (row?.age ?? null),
    eventLoopP99Ms,
  };
}

function section(measured: readonly Measured[]): Section {
  return {
    name: 'scale',
    title: 'Children of one process',
    notes: [
      `Databases of servers with ${childrenPerServer} each; idle: connected, nothing is written; heartbeats and rows: every child writes a`,
      `heartbeat every ${heartbeatSeconds} s and a row every ${5 * heartbeatSeconds} s. Freshness: the oldest of the newest heartbeats.`,
    ],
    columns: [
      'children',
      'load',
      'RSS MiB',
      'cpu %',
      'connections here',
      'freshness s',
      'loop p99 ms',
    ],
    rows: measured.map((each) => [
      each.children,
      each.load,
      each.rssMiB,
      each.cpuPercent,
      each.connections,
      each.freshnessSeconds,
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
            what: what('freshness s'),
            value: each.freshnessSeconds ?? Infinity,
            wanted: { atMost: 5 },
          },
        ]),
  ];
}
