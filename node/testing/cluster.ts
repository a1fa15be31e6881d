/**
 * Real PostgreSQL servers from npm packages: one Cluster is one data directory and, while it runs, one postmaster.
 * As root the server runs as another uid, because PostgreSQL refuses root.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import {
  binaries,
  copyOwned,
  identity,
  initdb,
  own,
  superuser,
  templateOf,
} from './data-directory.ts';
import { freePort } from './free-port.ts';
import { undoAtExit } from './leftovers.ts';
import { killChildren } from './process-family.ts';
import { until } from './until.ts';

export type Settings = Readonly<Record<string, string | number>>;

export interface ClusterOptions {
  readonly major: number;
  /** postgresql.conf settings over the defaults of this file. */
  readonly settings?: Settings;
  /** By an initdb of its own: clusters are copies of one template else, and share its system identifier. */
  readonly ownIdentity?: boolean;
  /** Where its directory is made; the temporary directory else. */
  readonly home?: string;
  /** Directory of another `postgres` and `initdb` of that major; the npm package's else. */
  readonly programs?: string;
}

type Started = Required<Pick<ClusterOptions, 'major' | 'settings' | 'programs'>>;

/** Small, fast and not durable against a crash of the machine; a kill -9 of PostgreSQL loses nothing all the same. */
const defaults: Settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  wal_level: 'logical',
  fsync: 'off',
  max_connections: 300,
  max_wal_senders: 100,
  max_replication_slots: 200,
  shared_buffers: '32MB',
  max_wal_size: '512MB',
  log_min_messages: 'warning',
  max_logical_replication_workers: 20,
  max_worker_processes: 40,
  // A native subscription starts at once, not seconds after the one before.
  wal_retrieve_retry_interval: '100ms',
};

export class Cluster implements AsyncDisposable {
  readonly major: number;
  readonly directory: string;
  readonly port: number;
  readonly #settings: Settings;
  readonly #programs: string;
  #process: ChildProcess | null = null;
  readonly #ended: () => void;

  private constructor(options: Started, directory: string, port: number) {
    this.major = options.major;
    this.directory = directory;
    this.port = port;
    this.#settings = options.settings;
    this.#programs = options.programs;
    this.#ended = undoAtExit(() => {
      this.#process?.kill('SIGQUIT');
      removeAfter(this.pid ?? 0, dirname(directory));
    });
  }

  /** A new cluster, initialised and running. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const place = options.home ?? tmpdir();
    const home = await mkdtemp(join(place, `tributary-pg${options.major}-`));
    await own(home);
    const directory = join(home, 'data');
    const { major, programs = binaries(options.major) } = options;
    const template = options.ownIdentity ? await initdb(major, programs) : await templateOf(major);
    await copyOwned(template, directory);
    const settings = { ...defaults, ...options.settings };
    const cluster = new Cluster({ major, settings, programs }, directory, await freePort());
    await cluster.start();
    return cluster;
  }

  /** A cluster over a copy of another's data directory (cp -a), as a restored virtual machine is. Not started. */
  static async copyOf(other: Cluster): Promise<Cluster> {
    const home = await mkdtemp(join(tmpdir(), `tributary-pg${other.major}-`));
    await own(home);
    const directory = join(home, 'data');
    await copyOwned(other.directory, directory);
    await rm(join(directory, 'postmaster.pid'), { force: true });
    const { major } = other;
    const started = { major, settings: other.#settings, programs: other.#programs };
    return new Cluster(started, directory, await freePort());
  }

  /** Starts the postmaster and waits until it answers. */
  async start(settings: Settings = {}): Promise<void> {
    const all = { ...this.#settings, ...settings, port: this.port };
    const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(this.#programs, 'postgres'), ['-D', this.directory, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...identity(),
    });
    this.#process = child;
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    await until(
      async () => {
        if (child.exitCode !== null) {
          throw new Error(`postgres ${this.major} did not start: ${output}`);
        }
        return await this.#answers();
      },
      { what: `postgres ${this.major} answers`, ms: 60_000, everyMs: 30, throwing: true },
    );
  }

  /** fast: as `pg_ctl stop -m fast`; immediate: as a crash, children included. */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.#signal(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  }

  /** kill -9 of the postmaster and of all its processes, as when the machine's memory ran out. */
  async kill(): Promise<void> {
    if (this.pid !== undefined && this.running) {
      await killChildren(this.pid);
    }
    await this.#signal('SIGKILL');
  }

  get running(): boolean {
    return (
      this.#process !== null && this.#process.exitCode === null && this.#process.signalCode === null
    );
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  url(
    options: { database?: string; user?: string; password?: string; port?: number } = {},
  ): string {
    const user = options.user ?? superuser.name;
    const password = options.password ?? (user === superuser.name ? superuser.password : user);
    return `postgres://${user}:${password}@127.0.0.1:${options.port ?? this.port}/${options.database ?? 'postgres'}`;
  }

  /** One statement as the superuser. */
  async query(sql: string, database = 'postgres'): Promise<pg.QueryResult> {
    const client = new pg.Client({ connectionString: this.url({ database }) });
    client.on('error', () => {});
    await client.connect();
    try {
      return await client.query(sql);
    } finally {
      await client.end().catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('immediate');
    await rm(dirname(this.directory), { recursive: true, force: true });
    this.#ended();
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
    this.#process = null;
  }

  async #answers(): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.url(), connectionTimeoutMillis: 5000 });
    client.on('error', () => {});
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  }
}

/** Removes a directory once the server that writes there has ended, which this process does not live to see. */
function removeAfter(pid: number, directory: string): void {
  const script =
    'while [ "$0" -gt 0 ] && kill -0 "$0" 2>/dev/null; do sleep 0.1; done; rm -rf "$1"';
  const options = { detached: true, stdio: 'ignore' } as const;
  spawn('sh', ['-c', script, String(pid), directory], options).unref();
}
