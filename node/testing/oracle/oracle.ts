/**
 * The differential oracle: one workload at one provider, followed by PostgreSQL's own subscription into one database
 * and by Tributary's stream into another. Equal means equal to both the native copy and the provider's own rows.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { parseFilter } from '../../config/filter.ts';
import type { ReplicatedTable, Topology } from '../../config/model.ts';
import { ident } from '../../database/ident.ts';
import { prepareNode } from '../../publish/prepare.ts';
import { roles, TestDatabase } from '../database.ts';
import { nodeOf, tableOf, topologyOf } from '../publish-fixture.ts';
import { until } from '../until.ts';
import { comparing, type Sides } from './compare.ts';
import { Gate } from './gate.ts';
import { Native } from './native.ts';
import { Ours } from './ours.ts';
import type { Topic } from './topic.ts';

/** Majors of the provider and of the two subscribers. */
export interface Pair {
  readonly provider: number;
  readonly subscriber: number;
}

export interface OracleOptions {
  readonly pair: Pair;
  readonly topics: readonly Topic[];
  /** chosen: binary where apply finds that every column fits; default: text. */
  readonly format?: 'text' | 'chosen';
}

/** As the application's owner, and behind every trigger. */
const behind = `set session_replication_role = replica; set role ${roles.owner};`;

const child = 'district_a';
const sibling = 'district_b';

export class Oracle implements AsyncDisposable {
  readonly provider: TestDatabase;
  readonly copy: TestDatabase;
  readonly gate = new Gate();
  readonly sides: Sides;
  readonly #options: OracleOptions;
  readonly #native: Native;
  readonly #ours: Ours;
  readonly #topology: Topology;
  readonly #subscriber: string;
  readonly #stack: AsyncDisposableStack;
  #marks = 0;

  private constructor(
    parts: {
      readonly databases: Databases;
      readonly sides: Sides;
      readonly native: Native;
      readonly ours: Ours;
      readonly topology: Topology;
      readonly subscriber: string;
      readonly gate: Gate;
      readonly stack: AsyncDisposableStack;
    },
    options: OracleOptions,
  ) {
    this.provider = parts.databases.provider;
    this.copy = parts.databases.copy;
    this.gate = parts.gate;
    this.sides = parts.sides;
    this.#native = parts.native;
    this.#ours = parts.ours;
    this.#topology = parts.topology;
    this.#subscriber = parts.subscriber;
    this.#stack = parts.stack;
    this.#options = options;
  }

  /** Both subscribers stream when it resolves. */
  static async create(options: OracleOptions): Promise<Oracle> {
    await using stack = new AsyncDisposableStack();
    const databases = await createDatabases(options, stack);
    const subscriber = `o_${randomBytes(5).toString('hex')}`;
    const topology = topologyFor(options.topics, subscriber);
    for (const [node, database] of [
      [child, databases.provider],
      [subscriber, databases.copy],
    ] as const) {
      await prepareNode({ topology, node, adminUrl: database.url() });
    }
    const gate = new Gate();
    const native = stack.use(await Native.start(databases.provider, databases.native));
    const ours = stack.use(
      await Ours.start({
        topology,
        subscriber,
        provider: child,
        databases,
        format: options.format ?? 'text',
        gate,
      }),
    );
    const sides = comparingSides(databases, stack);
    const parts = { databases, sides, native, ours, topology, subscriber, gate };
    return new Oracle({ ...parts, stack: stack.move() }, options);
  }

  get native(): Native {
    return this.#native;
  }

  get ours(): Ours {
    return this.#ours;
  }

  get pair(): Pair {
    return this.#options.pair;
  }

  /** A session at the provider, in the topic's schema, as the application's owner; ended by the caller. */
  async session(topic: Topic): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.provider.url() });
    client.on('error', () => {});
    await client.connect();
    await client.query(`set role ${roles.owner}; set search_path = ${ident(topic.name)}, public`);
    return client;
  }

  /** A statement at both subscribers, in the topic's schema, as the application's owner and behind every trigger. */
  async subscribers(topic: Topic, sql: string): Promise<void> {
    for (const database of [this.copy, this.#native.database]) {
      await runIn(database, topic, `${behind} ${sql}`);
    }
  }

  /** The same at Tributary's copy alone. */
  async atCopy(topic: Topic, sql: string): Promise<void> {
    await runIn(this.copy, topic, `${behind} ${sql}`);
  }

  /** A statement at the provider by the application's owner, then prepare again there and at the copy. */
  async upgraded(topic: Topic, sql: string): Promise<void> {
    await runIn(this.provider, topic, `set role ${roles.owner}; ${sql}`);
    for (const [node, database] of [
      [child, this.provider],
      [this.#subscriber, this.copy],
    ] as const) {
      await prepareNode({ topology: this.#topology, node, adminUrl: database.url() });
    }
    await this.#native.follow(this.provider);
  }

  /** Everything committed at the provider until now is at both subscribers; native is not waited for once it stopped. */
  async level(): Promise<void> {
    this.#marks += 1;
    const mark = this.#marks;
    this.gate.open();
    await this.provider.query(`insert into public.oracle_mark values ($1)`, [mark]);
    await this.#reached(this.copy, mark, () => {
      const { state, failure } = this.#ours.report();
      return failure && state !== 'streaming'
        ? `Tributary does not go on: ${failure.code} ${JSON.stringify(failure.context)}`
        : null;
    });
    if (!(await this.#native.failed())) {
      await this.#reached(
        this.#native.database,
        mark,
        () => null,
        async () => await this.#native.failed(),
      );
    }
  }

  /** What is parked at Tributary's copy: table, key, reason, SQLSTATE and constraint, column or type. */
  async parked(): Promise<readonly string[]> {
    const { rows } = await this.copy.query(
      `select concat_ws(' ', p.table_name, p.key, p.reason, p.sqlstate, p.constraint_name, p.column_name, p.type_name) as line
       from tributary.parked p order by 1`,
    );
    return (rows as { line: string }[]).map(({ line }) => line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.gate.open();
    await this.#stack.disposeAsync();
  }

  async #reached(
    database: TestDatabase,
    mark: number,
    fault: () => string | null,
    enough: () => Promise<boolean> = async () => await Promise.resolve(false),
  ): Promise<void> {
    await until(
      async () => {
        const said = fault();
        assert.ok(said === null, said ?? '');
        const { rowCount } = await database.query(`select from public.oracle_mark where id = $1`, [
          mark,
        ]);
        return rowCount === 1 || (await enough());
      },
      { what: `mark ${mark} arrives`, ms: 60_000, everyMs: 4, throwing: true },
    );
  }
}

interface Databases {
  readonly provider: TestDatabase;
  readonly copy: TestDatabase;
  readonly native: TestDatabase;
}

async function createDatabases(
  { pair, topics }: OracleOptions,
  stack: AsyncDisposableStack,
): Promise<Databases> {
  const [provider, copy, native] = await Promise.all(
    [pair.provider, pair.subscriber, pair.subscriber].map(async (major) =>
      stack.use(await TestDatabase.create(major)),
    ),
  );
  assert.ok(provider && copy && native);
  await Promise.all(
    [provider, copy, native].map(async (database) => {
      await database.query(`create table public.oracle_mark (id int primary key)`);
      for (const topic of topics) {
        await install(database, topic);
        const own = database === provider ? topic.providerDdl : topic.subscriberDdl;
        await runIn(database, topic, own ?? '');
      }
    }),
  );
  return { provider, copy, native };
}

async function install(database: TestDatabase, topic: Topic): Promise<void> {
  for (const extension of topic.extensions ?? []) {
    await database.query(`create extension if not exists ${ident(extension)} schema public`);
  }
  await database.query(`create schema ${ident(topic.name)} authorization ${roles.owner}`);
  await runIn(database, topic, `set role ${roles.owner}; ${topic.ddl}; reset role`);
}

async function runIn(database: TestDatabase, topic: Topic, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.url() });
  await client.connect();
  try {
    await client.query(`set search_path = ${ident(topic.name)}, public`);
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function comparingSides(databases: Databases, stack: AsyncDisposableStack): Sides {
  const open = (database: TestDatabase): pg.Pool =>
    stack.adopt(comparing(database), async (pool) => await pool.end());
  return {
    provider: open(databases.provider),
    copy: open(databases.copy),
    native: open(databases.native),
  };
}

/** The subscriber, and two districts below it: one that sends, one whose rows must stay as they are. */
function topologyFor(topics: readonly Topic[], subscriber: string): Topology {
  const tables = topics.flatMap((topic) =>
    topic.tables.map((table): ReplicatedTable =>
      tableOf(table.name, {
        schema: topic.name,
        key: table.key ?? ['id'],
        approved: table.approved === undefined ? null : parseFilter(table.approved),
        columns: table.columns ?? null,
        identity: table.identity ?? 'index',
        carry: table.carry ?? 'trigger',
      }),
    ),
  );
  const mark = tableOf('oracle_mark', { key: ['id'] });
  return {
    ...topologyOf(
      [...tables, mark],
      [
        nodeOf(subscriber, 'region', null),
        nodeOf(child, 'district', subscriber),
        nodeOf(sibling, 'district', subscriber),
      ],
    ),
    levels: ['district', 'region'],
  };
}
