/** A node's process as a datacentre starts it: the command line, and nothing in the environment but its own secrets. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CrashSwitch } from './crash-switch.ts';
import { undoAtExit } from './leftovers.ts';

const root = join(import.meta.dirname, '..', '..');
const entry = join(root, 'node', 'main.ts');
const keptBytes = 64 * 1024;

export interface NodeProcessOptions {
  readonly node: string;
  readonly topology: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** Options of node itself, such as a profiler's. */
  readonly execArgv?: readonly string[];
  /** By which it may be made to die at a crash point. */
  readonly crash?: CrashSwitch;
}

export class NodeProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #mayCrash: boolean;
  #log = '';
  #asked = false;

  constructor(options: NodeProcessOptions) {
    const args = [...execArgv(options), entry, 'run', ...where(options)];
    this.#mayCrash = options.crash !== undefined;
    this.#child = spawn(process.execPath, args, {
      cwd: tmpdir(),
      env: environment(options),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = undoAtExit(() => this.#child.kill('SIGKILL'));
    this.#child.once('exit', ended);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#log = (this.#log + chunk.toString()).slice(-keptBytes);
      });
    }
  }

  /** @throws Error when it never started. */
  get pid(): number {
    if (this.#child.pid === undefined) {
      throw new Error('the process did not start');
    }
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** It ended, and nobody asked it to, nor told it where to die. */
  get gaveUp(): boolean {
    const crashed = this.#mayCrash && this.#child.signalCode === 'SIGKILL';
    return !this.running && !this.#asked && !crashed;
  }

  /** Of a process that ended by itself or by SIGTERM; null while it runs or after a kill. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** The end of what it wrote. */
  get log(): string {
    return this.#log;
  }

  /** Sends the signal and waits for the end. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.running) {
      return;
    }
    this.#asked = true;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** A figure of /proc/PID/status in bytes, such as VmHWM: the most memory it ever held. Linux only. */
  async memory(field: 'VmHWM' | 'VmRSS'): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
    return Number(kilobytes) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One command of the command line, to its end. Never rejects for an exit code. */
export async function command(
  options: NodeProcessOptions,
  words: readonly string[],
  timeoutMs = 120_000,
): Promise<CommandResult> {
  const args = [...execArgv(options), entry, ...words, ...where(options)];
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
      cwd: tmpdir(),
      env: environment(options),
      timeout: timeoutMs,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const failure = error as { code?: unknown; stdout?: string; stderr?: string };
    return {
      code: typeof failure.code === 'number' ? failure.code : -1,
      stdout: failure.stdout ?? '',
      stderr: failure.stderr ?? '',
    };
  }
}

function where(options: NodeProcessOptions): string[] {
  return ['--topology', options.topology, '--node', options.node];
}

function execArgv(options: NodeProcessOptions): readonly string[] {
  return [...(options.crash?.execArgv ?? []), ...(options.execArgv ?? [])];
}

function environment(options: NodeProcessOptions): NodeJS.ProcessEnv {
  const compiled = process.env['NODE_COMPILE_CACHE'];
  return {
    ...options.secrets,
    ...options.crash?.environment,
    TMPDIR: tmpdir(),
    ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }),
  };
}
