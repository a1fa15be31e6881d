/**
 * A small country for a test: a cluster, a prepared database, a proxy and a node process per node, started by the
 * command line a datacentre uses. Disposal leaves no process and no file.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { applicationTables, type ApplicationTable, applicationYaml } from './application.ts';
import type { Settings } from './cluster.ts';
import { CrashSwitch } from './crash-switch.ts';
import { roles } from './database.ts';
import { loadTopology } from '../config/load.ts';
import { prepareNode } from '../publish/prepare.ts';
import { streamsOf } from './standing.ts';
import { undoAtExit } from './leftovers.ts';
import { differences, isLevel } from './level.ts';
import {
  command,
  type CommandResult,
  NodeProcess,
  type NodeProcessOptions,
} from './node-process.ts';
import type { Proxy } from './proxy.ts';
import { secretOf, topologyText } from './topology-text.ts';
import { buildNode, type TreeNode } from './tree-node.ts';
import { until, type UntilOptions } from './until.ts';

export interface TreeOptions {
  /** Child -> parent; the one without parent is the root. A node's tier is its distance from the leaves. */
  readonly parents: Readonly<Record<string, string | null>>;
  readonly major?: number;
  /** Node -> major of its PostgreSQL, where it is another. */
  readonly majors?: Readonly<Record<string, number>>;
  readonly settings?: Settings;
  readonly heartbeat?: string;
  /** Node -> where its PostgreSQL keeps its files, such as a disk of its own. */
  readonly homes?: Readonly<Record<string, string>>;
  /** Node -> further lines of the topology file, such as `probes: [...]`. */
  readonly more?: Readonly<Record<string, readonly string[]>>;
  /** The application instead of the usual one. */
  readonly application?: {
    readonly sql: string;
    readonly yaml: string;
    readonly tables: readonly ApplicationTable[];
  };
  /** true: processes and commands may be made to die at crash points. */
  readonly crashing?: boolean;
  /** false: databases and file only; `prepare` and `start` are the test's. */
  readonly start?: boolean;
  /** Each node reads a file of its own, the same at first, and may reach every other: for changes of the tree. */
  readonly ownFiles?: boolean;
}

/** Three levels, two branches of unequal size. */
export const country = {
  nation: null,
  north: 'nation',
  south: 'nation',
  district_a: 'north',
  district_b: 'north',
  district_c: 'south',
} as const;

/** One of each level. */
export const chain = { nation: null, north: 'nation', district_a: 'north' } as const;

export class Tree implements AsyncDisposable {
  readonly file: string;
  readonly directory: string;
  readonly tables: readonly ApplicationTable[];
  readonly #options: TreeOptions;
  readonly #nodes = new Map<string, TreeNode>();
  readonly #processes = new Map<string, NodeProcess>();
  readonly #stack = new AsyncDisposableStack();

  private constructor(directory: string, options: TreeOptions) {
    this.directory = directory;
    this.file = join(directory, 'topology.yaml');
    this.#options = options;
    this.tables = options.application?.tables ?? applicationTables;
  }

  /** Everything runs and every link has streamed when it resolves, unless `start: false`. */
  static async create(options: TreeOptions): Promise<Tree> {
    const directory = await mkdtemp(join(tmpdir(), 'tributary-tree-'));
    const tree = new Tree(directory, options);
    try {
      await tree.#build();
      if (options.start ?? true) {
        await tree.prepare();
        await tree.startAll();
      }
      return tree;
    } catch (error) {
      await tree[Symbol.asyncDispose]();
      throw error;
    }
  }

  get nodes(): readonly TreeNode[] {
    return [...this.#nodes.values()];
  }

  get leaves(): readonly TreeNode[] {
    return this.nodes.filter((node) => node.children.length === 0);
  }

  /** @throws Error for a name that is not in the tree. */
  node(name: string): TreeNode {
    const node = this.#nodes.get(name);
    if (!node) {
      throw new Error(`no node ${name} in this tree`);
    }
    return node;
  }

  /** The file a node's process reads. */
  fileOf(name: string): string {
    return this.#options.ownFiles ? join(this.directory, `${name}.yaml`) : this.file;
  }

  /** From now on the node counts as a child of that parent, whatever the files say. */
  move(name: string, parent: string): void {
    const moved = { ...this.node(name), parent };
    this.#nodes.set(name, moved);
    for (const node of this.nodes) {
      const others = node.children.filter((child) => child !== name);
      const children = node.name === parent ? [...others, name] : others;
      this.#nodes.set(node.name, { ...node, children });
    }
  }

  /** What a topology file says of the tree as it is. */
  get text(): string {
    return topologyText({
      nodes: this.nodes,
      more: this.#options.more ?? {},
      tables: this.#options.application?.yaml ?? applicationYaml,
      heartbeat: this.#options.heartbeat ?? '1s',
      spool: this.directory,
    });
  }

  /** @throws Error when it was never started. */
  process(name: string): NodeProcess {
    const process = this.#processes.get(name);
    if (!process) {
      throw new Error(`node ${name} was not started`);
    }
    return process;
  }

  /** By which processes and commands of a node are made to die, in a tree that is made for it. */
  crash(name: string): CrashSwitch {
    return new CrashSwitch(join(this.directory, `${name}.crash`));
  }

  /** Prepares every database with its owner's login, and runs what that leaves to a superuser as one. */
  async prepare(names: readonly string[] = [...this.#nodes.keys()]): Promise<void> {
    const topology = await loadTopology(this.file);
    await Promise.all(
      names.map(async (node) => {
        const { database } = this.node(node);
        const adminUrl = database.url(roles.owner);
        const { left } = await prepareNode({ topology, node, adminUrl });
        for (const command of left.flatMap(({ commands }) => commands)) {
          await database.query(command);
        }
      }),
    );
  }

  /** `ms`: how long it may take; by default two minutes. */
  async command(name: string, words: readonly string[], ms?: number): Promise<CommandResult> {
    return await command(this.#processOptions(name), words, ms);
  }

  /** Starts the process of a node that has none. Returns before it is ready. */
  start(name: string): NodeProcess {
    const before = this.#processes.get(name);
    if (before?.running) {
      return before;
    }
    const process = new NodeProcess(this.#processOptions(name));
    this.#processes.set(name, process);
    return process;
  }

  /** A second process for the same node, on another port if the file says 0; ended by the caller. */
  startSecond(name: string): NodeProcess {
    return this.#stack.use(new NodeProcess(this.#processOptions(name)));
  }

  /** Starts every process and waits until every stream has begun. */
  async startAll(): Promise<void> {
    for (const name of this.#nodes.keys()) {
      this.start(name);
    }
    await this.streaming();
  }

  /** Every stream of the tree (or into one node) has its slot taken by a walsender. */
  async streaming(subscriber?: string): Promise<void> {
    for (const node of this.nodes) {
      if (node.parent !== null && (subscriber === undefined || node.parent === subscriber)) {
        await this.until(async () => await this.#slotActive(node), {
          what: `${node.parent} streams from ${node.name}`,
          ms: 240_000,
        });
      }
    }
  }

  async kill9(name: string): Promise<void> {
    await this.process(name).end('SIGKILL');
  }

  async stop(name: string): Promise<void> {
    await this.process(name).end('SIGTERM');
  }

  /** The link between a node and its parent. @throws Error for the root, which has none. */
  link(child: string): Proxy {
    const { link } = this.node(child);
    if (!link) {
      throw new Error(`${child} has no parent and no link`);
    }
    return link;
  }

  /** GET of the node's own HTTP interface, as parsed JSON. @throws when it does not answer. */
  async get<T>(name: string, path: string): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${this.node(name).httpPort}${path}`, {
      signal: AbortSignal.timeout(5000),
    });
    return (await response.json()) as T;
  }

  async status<T>(name: string): Promise<T> {
    return await this.get<T>(name, '/api/status');
  }

  /** What differs between each node and the approved rows of its subtree, by origin and table; empty: level. */
  async differences(): Promise<readonly string[]> {
    return await differences(this);
  }

  /** Waits until every node equals the approved rows of its subtree. @throws with what differs and the logs' ends. */
  async waitLevel(ms = 60_000): Promise<void> {
    try {
      await until(
        async () => {
          const started = performance.now();
          if (await isLevel(this)) {
            return true;
          }
          await pause(2 * (performance.now() - started));
          return false;
        },
        { what: 'every node equals the approved rows of its subtree', ms, everyMs: 50 },
      );
    } catch (error) {
      const differing = await this.differences().catch(() => ['not comparable']);
      const standing = await streamsOf(this).catch(() => 'unknown');
      throw new Error([...differing, standing, this.logs()].join('\n'), { cause: error });
    }
  }

  /** As `until`; the failure carries where every stream stands and the ends of all logs. */
  async until<T>(condition: () => Promise<T> | T, options: UntilOptions): Promise<NonNullable<T>> {
    try {
      const ended = new AbortController();
      const gone = (): void => {
        const name = [...this.#processes].find(([, process]) => process.gaveUp)?.[0];
        if (name) {
          ended.abort(new Error(`the process of ${name} ended by itself`));
        }
      };
      return await until(
        async () => {
          gone();
          return await condition();
        },
        { ...options, signal: ended.signal },
      );
    } catch (error) {
      const said = error instanceof Error ? error.message : options.what;
      const standing = await streamsOf(this).catch(() => 'unknown');
      throw new Error([said, standing, this.logs()].join('\n'), { cause: error });
    }
  }

  logs(): string {
    return [...this.#processes]
      .map(([name, process]) => {
        const end = process.running ? 'runs' : `ended ${process.exitCode ?? 'by a signal'}`;
        return `--- ${name} (${end})\n${process.log.slice(-3000)}`;
      })
      .join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.#processes.values()].map(async (process) => {
        await process.end('SIGKILL');
      }),
    );
    await this.#stack.disposeAsync();
  }

  async #build(): Promise<void> {
    const undone = undoAtExit(() => {
      rmSync(this.directory, { recursive: true, force: true });
    });
    this.#stack.defer(async () => {
      await rm(this.directory, { recursive: true, force: true });
      undone();
    });
    const names = Object.keys(this.#options.parents);
    const nodes = await Promise.all(
      names.map(async (name) => this.#stack.use(await buildNode(name, this.#options))),
    );
    for (const node of nodes) {
      this.#nodes.set(node.name, node);
    }
    await Promise.all(
      [this.file, ...names.map((name) => this.fileOf(name))].map(
        async (file) => await writeFile(file, this.text),
      ),
    );
  }

  #processOptions(name: string): NodeProcessOptions {
    const node = this.node(name);
    const secrets: Record<string, string> = {
      [secretOf(name, 'DATABASE')]: node.database.url(roles.writer, node.local.port),
    };
    const reached = this.#options.ownFiles ? [...this.#nodes.keys()] : node.children;
    for (const child of reached.filter((each) => each !== name)) {
      const { database, link } = this.node(child);
      secrets[secretOf(child, 'PROVIDER')] = database.url(roles.reader, link?.port);
    }
    const crash = this.#options.crashing ? { crash: this.crash(name) } : {};
    return { node: name, topology: this.fileOf(name), secrets, ...crash };
  }

  /** A slot is active while it is being made, too: only a walsender past `startup` streams. */
  async #slotActive(provider: TreeNode): Promise<boolean> {
    const rows = await provider.database.query(
      `select from pg_replication_slots s
       join pg_stat_replication r on r.pid = s.active_pid
       where s.slot_name = $1 and r.state in ('catchup', 'streaming')`,
      [`tributary_${provider.parent}`],
    );
    return rows.length === 1;
  }
}
