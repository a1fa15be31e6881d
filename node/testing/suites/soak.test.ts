/**
 * Days of a tree in minutes: time is compressed by load, not by clocks. An hour is 120 heartbeats of every node, a thousand
 * transactions and more at every district, every link cut and one that falls silent, scrapes, questions of a person;
 * every eighth hour a server is killed, every twelfth all is verified. Nothing may pile up. At length:
 * `npm run suite -- soak --hours 24`.
 */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';
import { Background } from '../background.ts';
import { type Footprint, footprint } from '../footprint.ts';
import { Random } from '../random.ts';
import { Tree } from '../tree.ts';
import { Workload } from '../workload.ts';

const hours = Number(process.env['TEST_HOURS'] ?? 3);
const heartbeatMs = 200;
/** A heartbeat every 30 s. */
const beatsPerHour = Number(process.env['TEST_BEATS'] ?? (hours < 12 ? 40 : 120));
const scrapesPerHour = 60;
/** From so many hours on a trend of the memory can be told from its noise. */
const trendHours = 12;
const megabyte = 1024 * 1024;
/** Longer than a pool keeps a session that nobody uses. */
const quietMs = 12_000;

const parents = {
  nation: null,
  north: 'nation',
  district_a: 'north',
  district_b: 'north',
} as const;
type Node = keyof typeof parents;
const nodes = Object.keys(parents) as Node[];
const links = ['north', 'district_a', 'district_b'] as const;

void test(
  `${hours} hours of load leave no memory, connection, file, slot or row of ours behind`,
  {
    skip: process.platform === 'linux' ? false : 'what a process holds is read from /proc',
  },
  async (t) => {
    const seed = Random.seedOfRun();
    t.diagnostic(`seed ${seed}`);
    await using tree = await Tree.create({ parents, heartbeat: `${heartbeatMs}ms` });
    await tree.waitLevel();
    const before = await least(tree);
    const hourly: Footprints[] = [];
    const workload = new Workload({ seed, leaves: tree.leaves, pauseMs: 10 });
    {
      await using work = new Background(async (signal) => {
        await workload.run(signal);
      });
      for (let hour = 0; hour < hours; hour += 1) {
        await pass(tree, hour);
        hourly.push(await footprints(tree));
      }
      await work.stop();
    }
    t.diagnostic(JSON.stringify(workload.counts));
    await tree.waitLevel(120_000);
    for (const node of nodes) {
      await letsGo(tree, node, before[node]);
      const taken = hourly.map((each) => each[node]);
      t.diagnostic(said(node, taken));
      if (hours >= trendHours) {
        judge(node, taken);
      }
    }
  },
);

type Footprints = Readonly<Record<Node, Footprint>>;

async function footprints(tree: Tree): Promise<Footprints> {
  const taken = await Promise.all(
    nodes.map(async (node) => [node, await footprint(tree, node)] as const),
  );
  return Object.fromEntries(taken) as Footprints;
}

/** Of several looks, since some sessions wait a while to be closed. */
async function least(tree: Tree): Promise<Footprints> {
  const looks: Footprints[] = [];
  const end = performance.now() + quietMs;
  while (performance.now() < end) {
    looks.push(await footprints(tree));
    await pause(500);
  }
  const fewest = (node: Node, figure: keyof Footprint): number =>
    Math.min(...looks.map((look) => look[node][figure]));
  return Object.fromEntries(
    nodes.map((node) => [
      node,
      {
        ...looks[0]?.[node],
        ...Object.fromEntries(counted.map((figure) => [figure, fewest(node, figure)])),
      },
    ]),
  ) as Footprints;
}

async function pass(tree: Tree, hour: number): Promise<void> {
  const ms = beatsPerHour * heartbeatMs;
  const end = performance.now() + ms;
  for (const [n, name] of links.entries()) {
    tree.link(name).cut();
    await scrape(tree, end - ms / 2 + (ms / 2) * ((n + 1) / links.length - 1));
  }
  const link = tree.link(links[hour % links.length] ?? 'north');
  link.silence();
  await scrape(tree, end - ms / 4);
  link.heal();
  if (hour % 8 === 7) {
    const { cluster } = tree.node(nodes[(hour >> 3) % nodes.length] ?? 'nation').database;
    await cluster.kill();
    await cluster.start();
  }
  if (hour % 12 === 11) {
    assert.equal((await tree.command('nation', ['verify'])).code, 0, 'verify finds no difference');
  }
  await scrape(tree, end);
}

/** As Prometheus and a person who looks at the page. */
async function scrape(tree: Tree, end: number): Promise<void> {
  const everyMs = (beatsPerHour * heartbeatMs) / scrapesPerHour;
  while (performance.now() < end) {
    for (const node of nodes) {
      const at = `http://127.0.0.1:${tree.node(node).httpPort}`;
      for (const path of ['/metrics', '/api/status']) {
        await fetch(at + path, { signal: AbortSignal.timeout(10_000) })
          .then(async (response) => await response.text())
          .catch(() => {});
      }
    }
    await pause(everyMs);
  }
}

/** Once it is quiet again, a node holds no more than before all that: sessions of our own wait a while to be closed. */
async function letsGo(tree: Tree, node: Node, before: Footprint): Promise<void> {
  let now = await footprint(tree, node);
  const more = (): string[] =>
    counted.filter((figure) => now[figure] > before[figure] + spare[figure]);
  await tree.until(
    async () => {
      now = await footprint(tree, node);
      return more().length === 0;
    },
    {
      what: `${node} lets go of what it held: ${JSON.stringify({ before, now })}`,
      ms: 90_000,
      everyMs: 1000,
    },
  );
}

const counted = ['files', 'sessions', 'readers', 'slots'] as const;
const spare = { files: 4, sessions: 1, readers: 1, slots: 0 } as const;

/** From the second quarter of the time to its last: caches are full by then, and only a leak still grows. */
function judge(node: string, taken: readonly Footprint[]): void {
  const quarter = Math.floor(taken.length / 4);
  const early = taken.slice(quarter, 2 * quarter);
  const late = taken.slice(-quarter);
  for (const [figure, most] of [
    ['memory', (was: number): number => 1.15 * was + 8 * megabyte],
    ['stored', (was: number): number => 1.5 * was + megabyte],
  ] as const) {
    const was = median(early.map((each) => each[figure]));
    const is = median(late.map((each) => each[figure]));
    assert.ok(is < most(was), `${node}: ${figure} grew from ${mib(was)} to ${mib(is)} MiB`);
  }
}

function said(node: string, taken: readonly Footprint[]): string {
  const line = (figure: keyof Footprint, show: (value: number) => string): string =>
    `${figure} ${taken.map((each) => show(each[figure])).join(' ')}`;
  return `${node}: ${line('memory', mib)} MiB; ${line('stored', kib)} KiB; ${counted.map((figure) => line(figure, String)).join('; ')}`;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

function kib(bytes: number): string {
  return (bytes / 1024).toFixed(0);
}

function mib(bytes: number): string {
  return (bytes / megabyte).toFixed(0);
}
