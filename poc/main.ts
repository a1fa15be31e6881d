/** `npm run poc`: command line, signals, stdin and exit codes; the run itself is in proof.ts. */
import { createInterface } from 'node:readline';
import { help, parseOptions, UsageError, type Options } from './options.ts';
import { Progress } from './progress.ts';
import { prove } from './proof.ts';
import { describe, exitCodes } from './report.ts';
import { verbs } from './faults/command.ts';

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** npm hands a Ctrl-C on that the terminal has already sent: the second one within this time means nothing. */
const sameKeyMs = 1500;

const commands = `commands: ${verbs.join(', ')}, each with a place, such as \`cut amboro\` or \`cut amboro 5000\``;

process.exitCode = await main();

async function main(): Promise<number> {
  const progress = new Progress(process.stderr);
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options.help) {
      process.stdout.write(help);
      return 0;
    }
    return await run(options, progress);
  } catch (error) {
    if (error instanceof UsageError) {
      progress.text(`${error.message}\n\n${help}`);
      return 2;
    }
    progress.text(`failed: ${messages(error)}`);
    return 4;
  }
}

async function run(options: Options, progress: Progress): Promise<number> {
  const stop = new AbortController();
  let ended: keyof typeof signals | null = null;
  let at = 0;
  for (const signal of Object.keys(signals) as (keyof typeof signals)[]) {
    process.on(signal, () => {
      if (ended === null) {
        [ended, at] = [signal, performance.now()];
        stop.abort();
      } else if (performance.now() - at > sameKeyMs) {
        // the exit hook of the run kills what is left and removes its directory
        process.exit(signals[signal]);
      }
    });
  }
  try {
    const result = await prove({
      options,
      progress,
      signal: stop.signal,
      listen: (act) => listen(options, progress, act),
    });
    if (result === null) {
      return 0;
    }
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : describe(result));
    return exitCodes[result.verdict];
  } catch (error) {
    if (ended !== null) {
      return signals[ended];
    }
    throw error;
  }
}

/** Commands on stdin; in a timed run only from a terminal, so that a pipe's end means nothing. */
function listen(
  options: Options,
  progress: Progress,
  act: (line: string) => Promise<void>,
): Disposable {
  if (options.seconds !== null && !process.stdin.isTTY) {
    return { [Symbol.dispose]: () => {} };
  }
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    if (line.trim() === 'help') {
      progress.text(commands);
    } else if (line.trim() !== '') {
      act(line).catch((error: unknown) => progress.text(messages(error)));
    }
  });
  return {
    [Symbol.dispose]: () => {
      lines.close();
      process.stdin.unref();
    },
  };
}

/** An error's message and those of its causes; stacks help nobody here. */
function messages(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return `${error.message}: ${error.errors.map(messages).join('; ')}`;
  }
  if (error instanceof Error) {
    const cause = error.cause === undefined ? '' : ` (${messages(error.cause)})`;
    return `${error.message || error.name}${cause}`;
  }
  return String(error);
}
