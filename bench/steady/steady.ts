/** A process under an even load for as long as asked: what it holds must not rise, and it must stay responsive. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Cluster } from '../../node/testing/cluster.ts';
import type { NodeProcess } from '../../node/testing/node-process.ts';
import { roles } from '../../node/testing/database.ts';
import { until } from '../../node/testing/until.ts';
import type { Benchmark, BenchOptions, Section } from '../benchmark.ts';
import { Country } from '../country.ts';
import { filter, proceduresSql, tablesSql, tablesYaml } from '../drain/workload.ts';
import { eventLoopDelayMs } from '../event-loop.ts';
import { cpuSeconds } from '../process-figures.ts';
import { startServer } from '../server.ts';
import { median } from '../statistics.ts';

/** A part of the time. */
interface Part {
  readonly rssMiB: number;
  /** Of one core. */
  readonly cpuPercent: number;
  /** Changes made at the child by the end of the part. */
  readonly changes: number;
}

const database = 'record';
const keys = 100_000;
const parts = 10;
const samplesOfPart = 20;
const beatMs = 100;
const insertsOfBeat = 20;
const updatesOfBeat = 50;

/** Keyed rows change; so many others come. Both by one transaction each. */
const beatSql = [
  `insert into public.record (id, status, facility, patient, amount, note)
   select gen_random_uuid(), case when n % 2 = 0 then 'approved' else 'draft' end,
     n, 'patient ' || n, n, public.text_of(n, 140)
   from generate_series(1, ${insertsOfBeat}) n`,
  `update public.record
   set
     status = case
       when status = 'draft' and random() < 0.5 then 'approved'
       when status = 'approved' and random() < 0.25 then 'draft'
       else status end,
     amount = amount + 1
   where id in (
     select public.key_of(1 + floor(random() * ${keys})::integer)
     from generate_series(1, ${updatesOfBeat})
   )`,
];

export const steady: Benchmark = {
  name: 'steady',
  async run({ seconds, major }: BenchOptions, say): Promise<Section> {
    await using stack = new AsyncDisposableStack();
    const child = stack.use(await startServer(major, { autovacuum: 'on' }));
    const subscriber = stack.use(await startServer(major, { autovacuum: 'on' }));
    for (const cluster of [child, subscriber]) {
      await cluster.query(`create database ${database} owner ${roles.owner}`);
      await cluster.query(tablesSql, database);
    }
    await child.query(proceduresSql, database);
    await child.query(`call public.insert_rows(${keys}, 1000, 5, true, 0)`, database);
    const country = stack.use(
      await Country.create({
        places: [
          { name: 'region', level: 'region', parent: null, cluster: subscriber, database },
          { name: 'district', level: 'district', parent: 'region', cluster: child, database },
        ],
        tables: tablesYaml,
        heartbeat: '5s',
      }),
    );
    await country.prepare(['region', 'district']);
    country.run('district');
    const region = country.run('region');
    const isLevel = async (): Promise<boolean> =>
      (await approved(subscriber)) === (await approved(child));
    await until(isLevel, {
      what: 'what stood there has been copied',
      ms: 120_000,
      everyMs: 500,
    });
    say('the rows that stood there have been copied');
    const port = country.httpPort('region');
    await eventLoopDelayMs(port);
    const measured = await load(country.url('district'), { region, seconds, say });
    const loopMs = await eventLoopDelayMs(port);
    const most = (await region.memory('VmHWM')) / 2 ** 20;
    await until(isLevel, {
      what: 'the region has the same rows',
      ms: 60_000,
      everyMs: 200,
    });
    return section(measured, { seconds, loopMs, most });
  },
};

/** Of the approved rows, number and sum. */
async function approved(cluster: Cluster): Promise<string> {
  const { rows } = await cluster.query(
    `select count(*) || ' ' || sum(hashtextextended((id, status, amount, note)::text, 0)) as sum
     from public.record where ${filter}`,
    database,
  );
  return (rows[0] as { sum: string }).sum;
}

/** One session's even load, and the process looked at beside it. */
async function load(
  url: string,
  about: {
    readonly region: NodeProcess;
    readonly seconds: number;
    readonly say: (line: string) => void;
  },
): Promise<Part[]> {
  const { region, seconds, say } = about;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const partMs = (seconds * 1000) / parts;
  const measured: Part[] = [];
  let changes = 0;
  try {
    let due = performance.now();
    for (let part = 1; part <= parts; part += 1) {
      const ends = due + partMs;
      const before = await cpuSeconds(region.pid);
      const sizes: number[] = [];
      for (let beat = 0; due < ends; beat += 1) {
        for (const sql of beatSql) {
          changes += (await client.query(sql)).rowCount ?? 0;
        }
        if (beat % Math.ceil(partMs / beatMs / samplesOfPart) === 0) {
          sizes.push((await region.memory('VmRSS')) / 2 ** 20);
        }
        due += beatMs;
        await pause(Math.max(due - performance.now(), 0));
      }
      const cpuPercent = ((await cpuSeconds(region.pid)) - before) / (partMs / 100_000);
      measured.push({ rssMiB: median(sizes), cpuPercent, changes });
      say(`part ${part} of ${parts}: ${median(sizes).toFixed(0)} MiB`);
    }
  } finally {
    await client.end();
  }
  return measured;
}

function section(
  measured: readonly Part[],
  about: { readonly seconds: number; readonly loopMs: number; readonly most: number },
): Section {
  const { seconds, loopMs, most } = about;
  const second = measured[1]?.rssMiB ?? Number.NaN;
  const last = measured.at(-1)?.rssMiB ?? Number.NaN;
  return {
    name: 'steady',
    title: 'An even load',
    notes: [
      `${seconds} s: ten times a second one transaction of ${insertsOfBeat} inserts and one of ${updatesOfBeat} updates, half approved.`,
      `The process of the region: median of its memory in each tenth of the time; ${most.toFixed(0)} MiB at most, first copy included.`,
    ],
    columns: ['tenth', 'changes', 'RSS MiB', 'cpu %'],
    rows: measured.map((part, at) => [at + 1, part.changes, part.rssMiB, part.cpuPercent]),
    targets: [
      { what: 'most memory, MiB', value: most, wanted: { atMost: 200 } },
      {
        what: 'memory of the last tenth against the second',
        value: last / second,
        wanted: { atMost: 1.1 },
      },
      { what: 'event loop delay p99, ms', value: loopMs, wanted: { atMost: 50 } },
    ],
    measured,
  };
}
