/** The proof of concept as a whole: build, prepare, load, faults, level, verdict, and everything gone at the end. */
import { setTimeout as pause } from 'node:timers/promises';
import { openBoard } from './board/board.ts';
import { Survey } from './board/survey.ts';
import { Country } from './country.ts';
import { parseCommand, perform } from './faults/command.ts';
import { planFaults } from './faults/plan.ts';
import { FaultRunner } from './faults/runner.ts';
import { Generator } from './health/generator.ts';
import { Journal } from './journal.ts';
import type { Options } from './options.ts';
import type { Progress } from './progress.ts';
import { report, type Report } from './report.ts';
import { committedTopology, Federation } from './site/federation.ts';
import { Ports } from './site/ports.ts';
import { Workshop } from './site/workshop.ts';
import { behind, untilLevel, type PlaceUrl } from './verdict/level.ts';
import { compareLevels, falsify } from './verdict/verdict.ts';

/** How long the nodes may take to begin. */
const flowMs = 180_000;

export interface ProofContext {
  readonly options: Options;
  readonly progress: Progress;
  /** Ends the run early; everything is taken away all the same. */
  readonly signal: AbortSignal;
  /** Lines of commands a person gives, such as those of stdin. */
  readonly listen: (act: (line: string) => Promise<void>) => Disposable;
}

interface Run extends ProofContext {
  readonly federation: Federation;
  readonly generator: Generator;
  readonly faults: FaultRunner;
  readonly journal: Journal;
  readonly began: number;
}

/**
 * Runs it. Resolves with the report of a timed run, with null when an open-ended one was told to stop; rejects when a timed
 * one was. By then no process and no file of it is left.
 */
export async function prove(context: ProofContext): Promise<Report | null> {
  await using ends = new AsyncDisposableStack();
  const began = performance.now();
  const journal = new Journal();
  const workshop = await Workshop.open();
  ends.defer(async () => await workshop.remove());
  const country = await Country.read(committedTopology);
  const ports = await Ports.find(context.options.ports, country.places.length);
  const federation = await build({ context, country, workshop, ports, journal });
  ends.defer(async () => {
    context.progress.line('stopping all nodes and databases');
    await federation.stop();
  });
  const abandon = (): void => {
    federation.abandon();
    workshop.removeSync();
  };
  process.once('exit', abandon);
  ends.defer(() => void process.off('exit', abandon));
  const run: Run = {
    ...context,
    ...people(context, federation, journal),
    federation,
    journal,
    began,
  };
  await start(run);
  await using _board = await openPage(run, ports.page);
  await flow(run);
  return await act(run);
}

async function build(parts: {
  context: ProofContext;
  country: Country;
  workshop: Workshop;
  ports: Ports;
  journal: Journal;
}): Promise<Federation> {
  const { context, journal } = parts;
  context.progress.line(`seed ${context.options.seed}`);
  return await Federation.build({
    ...parts,
    topology: committedTopology,
    onLine: (place, line) => {
      journal.wrote(place, line);
      if (context.options.verbose) {
        context.progress.line(`${place}: ${line}`);
      }
    },
  });
}

function people({ options, progress }: ProofContext, federation: Federation, journal: Journal) {
  const districts = federation.districts.map((site) => ({
    name: site.place.name,
    url: site.applicationUrl,
  }));
  return {
    generator: new Generator({ districts, seed: options.seed, rate: options.rate }),
    faults: new FaultRunner(federation, (text) => {
      journal.event(text);
      progress.line(text);
    }),
  };
}

async function start({ federation, progress, signal }: Run): Promise<void> {
  signal.throwIfAborted();
  progress.line('installing and starting seven databases');
  await federation.createDatabases(signal);
  signal.throwIfAborted();
  progress.line('preparing them: tributary prepare --admin');
  await federation.prepare(signal);
  signal.throwIfAborted();
  progress.line('starting seven nodes: tributary run');
  federation.startNodes();
}

/** Rows entered before a stream begins would need a first copy: people begin when all streams flow. */
async function flow({ federation, progress, signal }: Run): Promise<void> {
  const deadline = performance.now() + flowMs;
  for (;;) {
    const waiting = await federation.waiting(signal);
    signal.throwIfAborted();
    if (waiting.length === 0) {
      return progress.line('every stream flows');
    }
    if (performance.now() > deadline) {
      throw new Error(`no stream from ${waiting.join(', ')} after ${flowMs / 1000} s`);
    }
    await pause(100, undefined, { signal });
  }
}

/** The page, the survey behind it and the commands on stdin, until disposed of. */
async function openPage(run: Run, port: number): Promise<AsyncDisposable> {
  const { federation, journal, progress, options } = run;
  await using ends = new AsyncDisposableStack();
  const survey = new Survey(federation);
  const stopped = new AbortController();
  const surveying = survey.run(stopped.signal);
  ends.defer(async () => {
    stopped.abort();
    await surveying;
  });
  const command = async (line: string): Promise<void> => {
    const parsed = parseCommand(
      line,
      federation.sites.map((site) => site.place.name),
    );
    journal.event(`${line.trim()} (by hand)`);
    progress.line(`${line.trim()} (by hand)`);
    await perform(federation, parsed);
  };
  const app = await openBoard(port, {
    act: command,
    state: () => ({
      title: federation.country.root.title,
      seed: options.seed,
      seconds: seconds(run.began),
      forSeconds: options.seconds,
      transitions: run.generator.tally.counts(),
      transactions: run.generator.tally.transactions,
      faults: run.faults.counts,
      events: journal.events,
      levels: federation.country.levels,
      places: survey.places(),
    }),
  });
  ends.defer(async () => await app.close());
  ends.use(run.listen(command));
  progress.line(`page: http://127.0.0.1:${port}/`);
  return ends.move();
}

async function act(run: Run): Promise<Report | null> {
  const { options, progress, signal } = run;
  const startSeconds = seconds(run.began);
  progress.line('people at four districts begin to work');
  const loadBegan = performance.now();
  await load(run);
  if (options.seconds === null) {
    return null;
  }
  signal.throwIfAborted();
  const loadSeconds = seconds(loadBegan);
  progress.line('the load has ended; everything is healed; waiting until all levels are equal');
  const levelBegan = performance.now();
  const levelReached = await settle(run);
  const levelSeconds = seconds(levelBegan);
  const { places } = placesOf(run);
  if (options.falsify) {
    await falsify(run.federation.nation.database.url());
    progress.line('one value at the nation was changed behind the back of its node');
  }
  progress.line('comparing every column of every row');
  const comparison = await compareLevels(run.federation.country, places);
  return report({
    seed: options.seed,
    comparison,
    levelReached,
    falsified: options.falsify,
    transitions: run.generator.tally.counts(),
    transactions: run.generator.tally.transactions,
    faults: run.faults.counts,
    faultsWanted: options.faults,
    rate: options.rate,
    unexpectedExits: run.federation.sites.reduce((sum, site) => sum + site.unexpectedExits, 0),
    seconds: {
      start: startSeconds,
      load: loadSeconds,
      level: levelSeconds,
      total: seconds(run.began),
    },
  });
}

/** People work and faults happen until the time is over or a signal comes. @throws the first failure of either. */
async function load(run: Run): Promise<void> {
  const { options, signal, federation, generator, faults } = run;
  const time = options.seconds === null ? [] : [AbortSignal.timeout(options.seconds * 1000)];
  const broken = new AbortController();
  const over = AbortSignal.any([signal, broken.signal, ...time]);
  const plan =
    options.seconds === null || !options.faults
      ? []
      : planFaults({
          seed: options.seed,
          seconds: options.seconds,
          places: federation.sites.map((site) => site.place.name),
        });
  const tasks = [generator.run(over), faults.run(plan, over), tell(run, over)];
  const ends = await Promise.allSettled(
    tasks.map(async (task) => {
      await task.catch((error: unknown) => {
        broken.abort();
        throw error;
      });
    }),
  );
  const failure = ends.find((end) => end.status === 'rejected');
  if (failure) {
    throw failure.reason;
  }
}

/** Figures of a timed run: a live line on a terminal, a line every 10 s elsewhere. In an open-ended one a person types. */
async function tell(run: Run, signal: AbortSignal): Promise<void> {
  const { generator, faults, progress, began, options } = run;
  for (let second = 1; !signal.aborted && options.seconds !== null; second += 1) {
    await pause(1000, undefined, { signal }).catch(() => {});
    const counts = Object.entries(generator.tally.counts());
    const text = counts.map(([name, count]) => `${name} ${count}`).join('  ');
    const { cuts, nodeKills, databaseKills } = faults.counts;
    const kills = nodeKills + databaseKills;
    progress.live(`${seconds(began).toFixed(0)} s  ${text}  cuts ${cuts}  kills ${kills}`);
    if (second % 10 === 0 && !progress.terminal) {
      progress.line(text);
    }
  }
  progress.live('');
}

async function settle(run: Run): Promise<boolean> {
  const { federation, options, progress, signal } = run;
  await federation.restore();
  const { places } = placesOf(run);
  const reached = await untilLevel(federation.country, places, {
    timeoutMs: options.settleSeconds * 1000,
    signal,
  });
  if (reached) {
    progress.line('every level is equal by number, key and revision');
  } else {
    const late = await behind(federation.country, places);
    progress.line(`not level after ${options.settleSeconds} s: ${late.join(', ')}`);
    for (const line of run.journal.lastWords()) {
      progress.text(line);
    }
  }
  return reached;
}

function placesOf({ federation }: Run): { places: PlaceUrl[] } {
  return {
    places: federation.sites.map((site) => ({ name: site.place.name, url: site.database.url() })),
  };
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 100) / 10;
}
