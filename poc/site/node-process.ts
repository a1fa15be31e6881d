/** One Tributary process, started by the command line a datacentre uses, and started again when it ends by itself. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const entry = fileURLToPath(new URL('../../node/main.ts', import.meta.url));
const run = promisify(execFile);

export interface NodeProcessOptions {
  readonly topology: string;
  readonly node: string;
  /** This node's own secrets and its children's provider secrets; nothing else of them is in its environment. */
  readonly secrets: Readonly<Record<string, string>>;
  /** A line the process wrote to stdout or stderr. */
  readonly onLine: (line: string) => void;
  /** It ended although nobody here asked for it. */
  readonly onExit: (code: number | null) => void;
}

export class NodeProcess {
  readonly #options: NodeProcessOptions;
  #process: ChildProcess | null = null;
  #wanted = false;
  #again: NodeJS.Timeout | undefined;

  constructor(options: NodeProcessOptions) {
    this.#options = options;
  }

  get running(): boolean {
    const child = this.#process;
    return child !== null && child.exitCode === null && child.signalCode === null;
  }

  get pid(): number | undefined {
    return this.running ? this.#process?.pid : undefined;
  }

  /** `tributary prepare` with an administrator's URL. @throws Error with the command's own last words. */
  async prepare(admin: string, signal: AbortSignal): Promise<void> {
    const { topology, node } = this.#options;
    const args = [entry, 'prepare', '--topology', topology, '--node', node, '--admin', admin];
    const words = await run(process.execPath, args, { env: this.#environment(), signal }).then(
      () => null,
      (said: { stdout?: string; stderr?: string }) => `${said.stdout ?? ''}${said.stderr ?? ''}`,
    );
    if (words !== null) {
      // not the error itself: it repeats the command line, and with it the administrator's password
      throw new Error(
        `prepare of ${node} failed: ${words.trim().split('\n').slice(-8).join('\n')}`,
      );
    }
  }

  start(): void {
    this.#wanted = true;
    clearTimeout(this.#again);
    if (this.running) {
      return;
    }
    const { topology, node, onLine } = this.#options;
    const child = spawn(process.execPath, [entry, 'run', '--topology', topology, '--node', node], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: this.#environment(),
      detached: true,
    });
    this.#process = child;
    child.on('error', (error) => onLine(error.message));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        for (const line of chunk.toString().split('\n').filter(Boolean)) {
          onLine(line);
        }
      });
    }
    child.once('exit', (code) => this.#exited(code));
  }

  /** As a service manager stops it; kill -9 after 15 s. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Without waiting, for the last moment of the process. */
  abandon(): void {
    this.#wanted = false;
    clearTimeout(this.#again);
    this.#process?.kill('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#again);
    const child = this.#process;
    if (!child || !this.running || child.pid === undefined) {
      return;
    }
    const ended = once(child, 'exit');
    child.kill(signal);
    const escalate = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(escalate);
  }

  /** A service manager would start it again after a moment; so do we, and count it. */
  #exited(code: number | null): void {
    if (this.#wanted) {
      this.#options.onExit(code);
      this.#again = setTimeout(() => this.start(), 2000);
    }
  }

  #environment(): NodeJS.ProcessEnv {
    const kept = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'LANG', 'SystemRoot'];
    const own = Object.fromEntries(
      kept.flatMap((name) => {
        const value = process.env[name];
        return value === undefined ? [] : [[name, value] as const];
      }),
    );
    const { topology, secrets } = this.#options;
    // One for all nodes, and gone with the run.
    const compiled = join(dirname(topology), 'compiled');
    return { ...own, NODE_ENV: 'production', NODE_COMPILE_CACHE: compiled, ...secrets };
  }
}
