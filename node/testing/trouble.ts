/**
 * One stream for tests of what goes wrong: district_a -> north, each in a cluster of its own, passwords in files, and
 * passwords and row values that occur nowhere by chance. All that any process prints is kept and searched for them.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTopology } from '../config/load.ts';
import { adviceOf, type ErrorCode, textOf } from '../errors.ts';
import { statusReport, type StatusReport, type StreamStatus } from '../monitor/status-report.ts';
import { prepareNode } from '../publish/prepare.ts';
import { applicationSql, applicationYaml } from './application.ts';
import type { Settings } from './cluster.ts';
import { newest, roles } from './database.ts';
import { freePort } from './free-port.ts';
import { NodeDatabase } from './node-database.ts';
import { command, type CommandResult, NodeProcess } from './node-process.ts';
import { Proxy } from './proxy.ts';
import { topologyText } from './topology-text.ts';
import { until } from './until.ts';

export interface TroubleOptions {
  readonly major?: number;
  /** Of the child's PostgreSQL. */
  readonly settings?: Settings;
  /** false: neither database is prepared. */
  readonly prepared?: boolean;
}

export type Place = 'north' | 'district_a';

export class Trouble implements AsyncDisposable {
  readonly parent: NodeDatabase;
  readonly child: NodeDatabase;
  /** The parent reaches the child through it. */
  readonly link: Proxy;
  /** The parent reaches its own database through it. */
  readonly local: Proxy;
  readonly directory: string;
  readonly httpPort: number;
  /** In no row and no file but where a test puts it; must be in no output. */
  readonly value = `value-${randomBytes(8).toString('hex')}`;
  readonly password = `password-${randomBytes(8).toString('hex')}`;
  readonly #stack: AsyncDisposableStack;
  readonly #printed: string[] = [];
  readonly #processes: NodeProcess[] = [];

  private constructor(parts: {
    parent: NodeDatabase;
    child: NodeDatabase;
    link: Proxy;
    local: Proxy;
    directory: string;
    httpPort: number;
    stack: AsyncDisposableStack;
  }) {
    this.parent = parts.parent;
    this.child = parts.child;
    this.link = parts.link;
    this.local = parts.local;
    this.directory = parts.directory;
    this.httpPort = parts.httpPort;
    this.#stack = parts.stack;
  }

  /** No process runs yet. */
  static async create(options: TroubleOptions = {}): Promise<Trouble> {
    await using stack = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'tributary-trouble-'));
    stack.defer(async () => await rm(directory, { recursive: true, force: true }));
    const major = options.major ?? newest();
    const settings = { logical_decoding_work_mem: '1MB', ...options.settings };
    const [parent, child] = await Promise.all([
      NodeDatabase.create({ major }),
      NodeDatabase.create({ major, settings }),
    ]);
    stack.use(parent);
    stack.use(child);
    const link = stack.use(await Proxy.start({ to: () => child.cluster.port }));
    const local = stack.use(await Proxy.start({ to: () => parent.cluster.port }));
    const httpPort = await freePort();
    const parts = { parent, child, link, local, directory, httpPort };
    const trouble = new Trouble({ ...parts, stack: stack.move() });
    await trouble.#setUp(options.prepared ?? true);
    return trouble;
  }

  get file(): string {
    return join(this.directory, 'topology.yaml');
  }

  /** Prepares databases with their owner's login, and runs what that leaves to a superuser as one. */
  async prepare(...nodes: Place[]): Promise<void> {
    const topology = await loadTopology(this.file);
    for (const node of nodes) {
      const database = this.database(node);
      const { left } = await prepareNode({ topology, node, adminUrl: database.url(roles.owner) });
      for (const one of left.flatMap(({ commands }) => commands)) {
        await database.query(one);
      }
    }
  }

  database(node: Place): NodeDatabase {
    return node === 'north' ? this.parent : this.child;
  }

  /** Writes the file one of the two secrets of the parent stands in. */
  async secret(name: 'database' | 'provider', url: string): Promise<void> {
    await writeFile(join(this.directory, name), `${url}\n`);
  }

  databaseUrl(password = this.password, port = this.local.port): string {
    const user = roles.writer;
    return this.parent.cluster.url({ database: 'records', user, password, port });
  }

  providerUrl(password = this.password, port = this.link.port): string {
    const user = roles.reader;
    return this.child.cluster.url({ database: 'records', user, password, port });
  }

  async writeTopology(tables = applicationYaml): Promise<void> {
    const nodes = [
      { name: 'north', level: 'region', parent: null, httpPort: this.httpPort },
      { name: 'district_a', level: 'district', parent: 'north', httpPort: 1 },
    ];
    const spool = join(this.directory, 'spool');
    const text = topologyText({ nodes, tables, heartbeat: '1s', spool })
      .replace(/levels: .*/, 'levels: [district, region]')
      .replace('${NORTH_DATABASE_URL}', '${file:database}')
      .replace('${DISTRICT_A_PROVIDER_URL}', '${file:provider}');
    await writeFile(this.file, text);
  }

  /** Starts the parent's process; it need not become ready. */
  start(): NodeProcess {
    const process = new NodeProcess({ node: 'north', topology: this.file, secrets: {} });
    this.#processes.push(process);
    return this.#stack.use(process);
  }

  /** One command at the parent, to its end. */
  async command(...words: string[]): Promise<CommandResult> {
    return await this.commandAt('north', ...words);
  }

  async commandAt(node: string, ...words: string[]): Promise<CommandResult> {
    const result = await command({ node, topology: this.file, secrets: {} }, words);
    this.#printed.push(result.stdout, result.stderr);
    return result;
  }

  /** Null while the process does not answer. */
  async status(): Promise<StatusReport | null> {
    const answer = await this.#get('/api/status');
    return answer === null ? null : statusReport.parse(JSON.parse(answer));
  }

  async stream(): Promise<StreamStatus | null> {
    return (await this.status())?.streams[0] ?? null;
  }

  /** Waits until the stream has stopped for this reason, and holds status, page data, log and catalogue to one story. */
  async streamFails(code: ErrorCode, state: 'retrying' | 'person'): Promise<StreamStatus> {
    const stream = await this.until(`the stream is ${state}: ${code}`, async () => {
      const now = await this.stream();
      return now?.problem?.code === code && now.state === state ? now : null;
    });
    assert.equal(stream.problem?.text, textOf(code));
    assert.equal(stream.problem?.advice, adviceOf(code));
    const { code: exit, stdout } = await this.command('status');
    assert.ok(stdout.includes(`(${code}`), stdout);
    assert.equal(exit, state === 'person' ? 2 : 1, stdout);
    assert.ok(stdout.includes(adviceOf(code)), stdout);
    assert.ok(this.log.includes(`"code":"${code}"`), this.log);
    this.isDiscreet();
    return stream;
  }

  /** Waits until the node does not serve for this reason. */
  async nodeFails(code: ErrorCode): Promise<StatusReport> {
    const report = await this.until(`the node is not ready: ${code}`, async () => {
      const now = await this.status();
      return now?.problem?.code === code && !now.ready ? now : null;
    });
    assert.equal(report.problem?.advice, adviceOf(code));
    assert.match((await this.#get('/readyz')) ?? '', new RegExp(`"ready":false,"code":"${code}"`));
    const { code: exit, stdout } = await this.command('status');
    assert.equal(exit, 2, stdout);
    assert.ok(stdout.includes(textOf(code)) && stdout.includes(adviceOf(code)), stdout);
    assert.ok(this.log.includes(`"code":"${code}"`), this.log);
    this.isDiscreet();
    return report;
  }

  /** An approved row of the child with the secret value; its key. */
  async approve(): Promise<string> {
    const id = randomUUID();
    await this.child.query(
      `insert into public.case_report (id, status, note, narrative) values ($1, 'approved', $2, $2)`,
      [id, this.value],
    );
    return id;
  }

  /** A new row travels, status and log say that all is well, and nothing was printed that must not be. */
  async flows(): Promise<void> {
    const streaming = async (): Promise<boolean> => (await this.stream())?.state === 'streaming';
    await this.until('the stream is streaming', streaming);
    const id = await this.approve();
    await this.until('the row has arrived', async () => {
      const rows = await this.parent.query(
        'select from public.case_report where id = $1 and note = $2',
        [id, this.value],
      );
      return rows.length === 1;
    });
    assert.equal((await this.stream())?.problem, null);
    this.isDiscreet();
  }

  /** @throws AssertionError when a password or a row's value was printed, or a stack trace. */
  isDiscreet(): void {
    const printed = [...this.#printed, this.log].join('\n');
    for (const secret of ['password-', 'value-']) {
      assert.ok(!printed.includes(secret), `${secret} was printed: ${printed}`);
    }
    assert.doesNotMatch(printed, /^\s+at .*:\d+:\d+\)?$|"stack"/m);
  }

  get log(): string {
    return this.#processes.map(({ log }) => log).join('\n');
  }

  async until<T>(what: string, condition: () => Promise<T> | T): Promise<NonNullable<T>> {
    try {
      return await until(condition, { what, ms: 60_000, everyMs: 50 });
    } catch (error) {
      throw new Error(`${what}\n${JSON.stringify(await this.status())}\n${this.log}`, {
        cause: error,
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #setUp(prepared: boolean): Promise<void> {
    await Promise.all([
      this.writeTopology(),
      this.secret('database', this.databaseUrl()),
      this.secret('provider', this.providerUrl()),
      ...[this.parent, this.child].map(async (database) => {
        await database.query(
          `alter role ${roles.writer} password '${this.password}';
           alter role ${roles.reader} password '${this.password}';
           set role ${roles.owner};
           ${applicationSql};
           reset role`,
        );
      }),
    ]);
    if (prepared) {
      await this.prepare('north', 'district_a');
    }
  }

  async #get(path: string): Promise<string | null> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.httpPort}${path}`, {
        signal: AbortSignal.timeout(5000),
      });
      return await response.text();
    } catch {
      return null;
    }
  }
}
