/** How long a commit at the district takes to be seen at the nation, two hops away. */
import type { Benchmark, BenchOptions, Section } from '../benchmark.ts';
import { startServer } from '../server.ts';
import { percentile } from '../statistics.ts';
import { type ChainSide, nativeChain, type Servers, tributaryChain } from './chain-side.ts';
import { probe } from './probe.ts';

interface Measured {
  readonly side: string;
  readonly load: 'low' | 'half';
  readonly perSecond: number;
  readonly rows: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly greatest: number;
}

const lowPerSecond = 20;
const warmRows = 500;
const burstRows = 5000;

export const chain: Benchmark = {
  name: 'chain',
  async run(options: BenchOptions, say): Promise<Section> {
    await using stack = new AsyncDisposableStack();
    const start = async () => stack.use(await startServer(options.major));
    const [district, region, nation] = [await start(), await start(), await start()];
    const servers: Servers = { district, region, nation };
    const measured: Measured[] = [];
    const sides = [
      async () => await tributaryChain(servers),
      async () => await nativeChain(servers, 'off'),
      async () => await nativeChain(servers, 'on'),
    ];
    for (const open of sides) {
      await using side = await open();
      for (const each of await measure(side, options.seconds)) {
        say(
          `${each.side}, ${each.load}: p50 ${each.p50.toFixed(1)} ms, p99 ${each.p99.toFixed(1)} ms`,
        );
        measured.push(each);
      }
    }
    return section(measured);
  },
};

async function measure(side: ChainSide, seconds: number): Promise<Measured[]> {
  const { district, nation } = side;
  let first = 1;
  const run = async (
    count: number,
    gapMs: () => number,
  ): Promise<Awaited<ReturnType<typeof probe>>> => {
    const result = await probe({ district, nation, first, count, gapMs });
    first += count;
    return result;
  };
  await run(warmRows, () => 2);
  const burst = await run(burstRows, () => 0);
  const halfPerSecond = burstRows / burst.seconds / 2;
  const low = await run(Math.ceil(lowPerSecond * seconds), random(lowPerSecond));
  const half = await run(Math.ceil(halfPerSecond * seconds), random(halfPerSecond));
  return [
    summary(side.name, 'low', { perSecond: lowPerSecond, delays: low.delays }),
    summary(side.name, 'half', { perSecond: halfPerSecond, delays: half.delays }),
  ];
}

/** Random gaps: an even beat could fall in step with a timer. */
function random(perSecond: number): () => number {
  return () => (-Math.log(1 - Math.random()) * 1000) / perSecond;
}

function summary(
  side: string,
  load: Measured['load'],
  { perSecond, delays }: { readonly perSecond: number; readonly delays: readonly number[] },
): Measured {
  return {
    side,
    load,
    perSecond: Math.round(perSecond),
    rows: delays.length,
    p50: percentile(delays, 50),
    p90: percentile(delays, 90),
    p99: percentile(delays, 99),
    greatest: percentile(delays, 100),
  };
}

function section(measured: readonly Measured[]): Section {
  const own = measured.find(({ side, load }) => side === 'Tributary' && load === 'low');
  return {
    name: 'chain',
    title: 'Chain of three',
    notes: [
      'Milliseconds from a single-row insert at the district, before its commit, until the row is visible at the nation.',
      `Low load: ${lowPerSecond} rows a second at random; half: half of what a burst of one session got through.`,
    ],
    columns: ['side', 'load', 'rows/s', 'rows', 'p50 ms', 'p90 ms', 'p99 ms', 'most ms'],
    rows: measured.map((each) => [
      each.side,
      each.load,
      each.perSecond,
      each.rows,
      each.p50,
      each.p90,
      each.p99,
      each.greatest,
    ]),
    targets: own
      ? [
          { what: 'chain at low load, p50 ms', value: own.p50, wanted: { atMost: 4 } },
          { what: 'chain at low load, p99 ms', value: own.p99, wanted: { atMost: 25 } },
        ]
      : [],
    measured,
  };
}
