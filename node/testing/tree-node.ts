/** What stands at one node of a test tree before any process runs: a database with the application, and two links. */
import { applicationSql } from './application.ts';
import type { Settings } from './cluster.ts';
import { freePort } from './free-port.ts';
import { newest, roles } from './database.ts';
import { NodeDatabase } from './node-database.ts';
import { Proxy } from './proxy.ts';
import { levels } from './topology-text.ts';

export interface TreeNode extends AsyncDisposable {
  readonly name: string;
  readonly parent: string | null;
  readonly children: readonly string[];
  readonly level: string;
  readonly database: NodeDatabase;
  /** The parent reaches this node's database through it; null at the root. */
  readonly link: Proxy | null;
  /** The node reaches its own database through it. */
  readonly local: Proxy;
  readonly httpPort: number;
}

export interface BuildOptions {
  /** Child -> parent. */
  readonly parents: Readonly<Record<string, string | null>>;
  readonly major?: number;
  /** Node -> major of its PostgreSQL, where it is another. */
  readonly majors?: Readonly<Record<string, number>>;
  readonly settings?: Settings;
  /** Node -> where its PostgreSQL keeps its files, such as a disk of its own. */
  readonly homes?: Readonly<Record<string, string>>;
  readonly application?: { readonly sql: string };
}

export async function buildNode(name: string, options: BuildOptions): Promise<TreeNode> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(
    await NodeDatabase.create({
      major: options.majors?.[name] ?? options.major ?? newest(),
      ...(options.settings ? { settings: options.settings } : {}),
      ...(options.homes?.[name] ? { home: options.homes[name] } : {}),
    }),
  );
  const owner = await database.client(roles.owner);
  await owner.query(options.application?.sql ?? applicationSql);
  await owner.end();
  const proxy = async (): Promise<Proxy> =>
    stack.use(await Proxy.start({ to: () => database.cluster.port }));
  const parent = options.parents[name] ?? null;
  const link = parent === null ? null : await proxy();
  const local = await proxy();
  const httpPort = await freePort();
  const kept = stack.move();
  return {
    name,
    parent,
    children: childrenOf(name, options),
    level: levels[height(name, options)] ?? 'nation',
    database,
    link,
    local,
    httpPort,
    [Symbol.asyncDispose]: async () => {
      await kept.disposeAsync();
    },
  };
}

function childrenOf(name: string, { parents }: BuildOptions): string[] {
  return Object.keys(parents).filter((child) => parents[child] === name);
}

function height(name: string, options: BuildOptions): number {
  return childrenOf(name, options).reduce(
    (highest, child) => Math.max(highest, height(child, options) + 1),
    0,
  );
}
