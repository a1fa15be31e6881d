#!/usr/bin/env node
/** The one entry point: command line in, exit code out. The only place that handles signals. */
import { commandLine } from './cli/arguments.ts';
import { execute } from './cli/execute.ts';
import { complaint, exitCodeOf } from './cli/complain.ts';
import { exitCodes } from './cli/verdict.ts';
import type { Signals } from './cli/run.ts';

function signals(): Signals {
  const stop = new AbortController();
  const force = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => (stop.signal.aborted ? force : stop).abort());
  }
  let reload: (() => void) | null = null;
  process.on('SIGHUP', () => reload?.());
  return {
    stop: stop.signal,
    force: force.signal,
    onReload: (listener) => {
      reload = listener;
    },
  };
}

function fail(error: unknown): number {
  for (const line of complaint(error)) {
    process.stderr.write(`${line}\n`);
  }
  return exitCodeOf(error);
}

// A reader that went away, as in `tributary status | head -1`, is no failure.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error) => {
    fail(error);
    process.exit(1);
  });
}

try {
  process.exitCode = await execute(commandLine(process.argv.slice(2)), {
    out: (line) => process.stdout.write(`${line}\n`),
    signals,
  });
} catch (error) {
  const code = fail(error);
  // A monitoring plugin that can not judge says unknown, also where its own words are wrong.
  process.exitCode = process.argv[2] === 'status' ? exitCodes.unknown : code;
}
// What still waits on a socket after a cut-short stop must not keep the process.
setTimeout(() => process.exit(), 2000).unref();
