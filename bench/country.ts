/** Nodes of a benchmark: a topology file, prepared databases, and the processes a datacentre would run. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTopology } from '../node/config/load.ts';
import { prepareNode } from '../node/publish/prepare.ts';
import type { Cluster } from '../node/testing/cluster.ts';
import { freePort } from '../node/testing/free-port.ts';
import { roles } from '../node/testing/database.ts';
import { NodeProcess } from '../node/testing/node-process.ts';
import { secretOf, topologyText } from '../node/testing/topology-text.ts';

export interface Place {
  readonly name: string;
  readonly level: string;
  readonly parent: string | null;
  readonly cluster: Cluster;
  readonly database: string;
  /** Where its parent reaches it; default: where it is. */
  readonly providerPort?: number;
}

export interface CountryOptions {
  readonly places: readonly Place[];
  /** The `tables:` of the topology. */
  readonly tables: string;
  readonly heartbeat: string;
}

export class Country implements AsyncDisposable {
  readonly #options: CountryOptions;
  readonly #directory: string;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #processes = new Map<string, NodeProcess>();

  private constructor(
    options: CountryOptions,
    directory: string,
    ports: ReadonlyMap<string, number>,
  ) {
    this.#options = options;
    this.#directory = directory;
    this.#ports = ports;
  }

  /** Writes the topology; nothing runs yet. */
  static async create(options: CountryOptions): Promise<Country> {
    const directory = await mkdtemp(join(tmpdir(), 'tributary-bench-'));
    const ports = new Map<string, number>();
    for (const { name } of options.places) {
      ports.set(name, await freePort());
    }
    const country = new Country(options, directory, ports);
    const nodes = options.places.map(({ name, level, parent }) => {
      return { name, level, parent, httpPort: country.httpPort(name) };
    });
    const { tables, heartbeat } = options;
    await writeFile(country.#file, topologyText({ nodes, tables, heartbeat, spool: directory }));
    return country;
  }

  httpPort(name: string): number {
    return this.#ports.get(name) ?? 0;
  }

  /** As the superuser. */
  url(name: string): string {
    const { cluster, database } = this.#place(name);
    return cluster.url({ database });
  }

  async prepare(names: readonly string[]): Promise<void> {
    const topology = await loadTopology(this.#file);
    for (const node of names) {
      await prepareNode({ topology, node, adminUrl: this.url(node) });
    }
  }

  /** `node node/main.ts run` of one of them. @param execArgv options of node itself, such as a profiler's */
  run(name: string, execArgv: readonly string[] = []): NodeProcess {
    const { cluster, database } = this.#place(name);
    const secrets: Record<string, string> = {
      [secretOf(name, 'DATABASE')]: cluster.url({ database, user: roles.writer }),
    };
    for (const child of this.#options.places.filter(({ parent }) => parent === name)) {
      secrets[secretOf(child.name, 'PROVIDER')] = child.cluster.url({
        database: child.database,
        user: roles.reader,
        port: child.providerPort ?? child.cluster.port,
      });
    }
    const process = new NodeProcess({ node: name, topology: this.#file, secrets, execArgv });
    this.#processes.set(name, process);
    return process;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.#processes.values()].map(async (process) => {
        await process.end('SIGTERM');
      }),
    );
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#directory, 'topology.yaml');
  }

  #place(name: string): Place {
    const place = this.#options.places.find((each) => each.name === name);
    if (!place) {
      throw new Error(`no place ${name}`);
    }
    return place;
  }
}
