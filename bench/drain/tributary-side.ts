/**
 * Tributary as a datacentre runs it: a prepared database and `node node/main.ts run`, every promise on. It is held back
 * by what `tributary.stream.paused` means to it, and goes on when its topology is read again.
 */
import pg from 'pg';
import { ident } from '../../node/database/ident.ts';
import type { Cluster } from '../../node/testing/cluster.ts';
import { roles } from '../../node/testing/database.ts';
import type { NodeProcess } from '../../node/testing/node-process.ts';
import { until } from '../../node/testing/until.ts';
import { Country } from '../country.ts';
import { eventLoopDelayMs } from '../event-loop.ts';
import { dropDatabase } from '../server.ts';
import type { Course } from './course.ts';
import type { Processes, Side } from './side.ts';
import { tablesSql, tablesYaml } from './workload.ts';

export interface TributaryOptions {
  readonly course: Course;
  readonly cluster: Cluster;
  readonly profile: string | null;
}

export class TributarySide implements Side {
  readonly name = 'Tributary';
  readonly slot = 'tributary_region';
  readonly #options: TributaryOptions;
  readonly #stack = new AsyncDisposableStack();
  readonly #database: string;
  #client: pg.Client | null = null;
  #country: Country | null = null;
  #process: NodeProcess | null = null;
  #httpPort = 0;

  constructor(options: TributaryOptions) {
    this.#options = options;
    this.#database = `${options.course.database}_tributary`;
  }

  get url(): string {
    return this.#options.cluster.url({ database: this.#database });
  }

  async start(): Promise<void> {
    await this.prepare();
    await this.run();
    await this.#options.course.streaming(this.slot);
  }

  /** The provider, too: its replica identity serves every side. */
  async prepare(): Promise<void> {
    const { course, cluster } = this.#options;
    await cluster.query(`create database ${ident(this.#database)}`);
    this.#stack.defer(async () => {
      await dropDatabase(cluster, this.#database);
    });
    const client = new pg.Client({ connectionString: this.url });
    client.on('error', () => {});
    await client.connect();
    this.#client = client;
    this.#stack.defer(async () => await client.end());
    await client.query(tablesSql);
    const region = { name: 'region', level: 'region', parent: null };
    const district = { name: 'district', level: 'district', parent: 'region' };
    const country = this.#stack.use(
      await Country.create({
        places: [
          { ...region, cluster, database: this.#database },
          { ...district, cluster: course.cluster, database: course.database },
        ],
        tables: tablesYaml,
        heartbeat: '30s',
      }),
    );
    await country.prepare(['district', 'region']);
    this.#country = country;
    this.#httpPort = country.httpPort('region');
  }

  /** Returns when it serves. */
  async run(): Promise<void> {
    const { profile } = this.#options;
    const profiler = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
    this.#process = this.#country?.run('region', profiler) ?? null;
    await until(async () => (await this.#state()) !== undefined, {
      what: 'the node serves',
      ms: 60_000,
      everyMs: 10,
      throwing: false,
    });
  }

  async hold(): Promise<void> {
    await this.#query(`update tributary.stream set paused = true`);
    await this.#options.course.silence(this.slot);
    await until(async () => (await this.#state()) === 'paused', {
      what: 'the stream is paused',
      ms: 30_000,
      throwing: false,
    });
  }

  async release(): Promise<void> {
    await this.#query(`update tributary.stream set paused = false`);
    this.#running.signal('SIGHUP');
  }

  /** Its sessions at the subscriber: apply, and the few that watch and serve. */
  async processes(): Promise<Processes> {
    const { rows } = await this.#query(
      `select pid from pg_stat_activity where datname = current_database() and usename = '${roles.writer}'`,
    );
    const backends = (rows as { pid: number }[]).map(({ pid }) => pid);
    return { backends, node: this.#running.pid };
  }

  async eventLoopDelayMs(): Promise<number> {
    return await eventLoopDelayMs(this.#httpPort);
  }

  async peakBytes(): Promise<number> {
    return await this.#running.memory('VmHWM');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #state(): Promise<string | undefined> {
    const response = await fetch(`http://127.0.0.1:${this.#httpPort}/api/status`);
    const { streams } = (await response.json()) as { streams: { state: string }[] };
    return streams[0]?.state;
  }

  get #running(): NodeProcess {
    if (!this.#process) {
      throw new Error(`${this.name} was not started`);
    }
    return this.#process;
  }

  async #query(sql: string): Promise<pg.QueryResult> {
    if (!this.#client) {
      throw new Error(`${this.name} was not started`);
    }
    return await this.#client.query(sql);
  }
}
