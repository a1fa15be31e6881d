/**
 * `node poc/generate.ts DISTRICT...`: people at work in districts that stand elsewhere, such as in containers, until told
 * to stop. Of each district it needs the URL of its application alone, by the environment.
 */
import { parseArgs } from 'node:util';
import { Generator } from './health/generator.ts';

const reportEveryMs = 60_000;

const usage = `node poc/generate.ts [--seed NUMBER] [--rate FACTOR] DISTRICT...

Each DISTRICT has its application's URL in the environment, such as AMBORO_APPLICATION_URL for amboro.
--seed repeats the load of an empty country (default: the time of the start); --rate multiplies it (default 1).
`;

process.exitCode = await main();

/** 0: stopped as asked; 1: the work could not go on; 2: wrong usage. */
async function main(): Promise<number> {
  const options = read(process.argv.slice(2), process.env);
  if (options === null) {
    process.stderr.write(usage);
    return 2;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => stop.abort());
  }
  const generator = new Generator(options);
  say({ event: 'started', seed: options.seed, rate: options.rate });
  const timer = setInterval(() => say(counts(generator)), reportEveryMs);
  try {
    await generator.run(stop.signal);
    say(counts(generator));
    return 0;
  } catch (error) {
    // not the error itself: one of PostgreSQL repeats the row
    const code = error instanceof Error && 'code' in error ? error.code : null;
    say({ event: 'failed', name: error instanceof Error ? error.name : 'unknown', code });
    return 1;
  } finally {
    clearInterval(timer);
  }
}

function read(args: readonly string[], environment: NodeJS.ProcessEnv) {
  const { values, positionals } = parse(args);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const rate = Number(values.rate);
  const districts = positionals.flatMap((name) => {
    const url = environment[`${name.toUpperCase()}_APPLICATION_URL`];
    return url === undefined || url === '' ? [] : [{ name, url }];
  });
  const whole = districts.length > 0 && districts.length === positionals.length;
  return whole && seed >= 0 && rate >= 0.01 && rate <= 50 ? { districts, seed, rate } : null;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { seed: { type: 'string' }, rate: { type: 'string', default: '1' } },
    });
  } catch {
    return { values: { seed: undefined, rate: '' }, positionals: [] };
  }
}

function counts({ tally }: Generator): Record<string, unknown> {
  const { transactions, retries } = tally;
  return { event: 'at_work', transactions, retries, ...tally.counts() };
}

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
