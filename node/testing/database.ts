/**
 * A database of a test's own in one of the clusters the runner started (TEST_PG_15 ... TEST_PG_18 hold superuser URLs).
 * The two plain roles exist in every cluster; their password is their name.
 */
import { randomBytes } from 'node:crypto';
import pg from 'pg';

export const roles = {
  writer: 'tributary_writer',
  reader: 'tributary_reader',
  owner: 'application_owner',
} as const;

/** The roles every cluster of the tests has, made as the superuser: what `prepare --plan` asks of one, once. */
export async function createRoles(query: (sql: string) => Promise<unknown>): Promise<void> {
  for (const role of [roles.writer, roles.reader, roles.owner]) {
    await query(
      `create role ${role} login password '${role}' ${role === roles.reader ? 'replication' : ''}`,
    );
  }
  await query(`grant set on parameter session_replication_role to ${roles.writer}`);
  await query(`grant pg_monitor to ${roles.writer}`);
}

/** Majors the runner started, in ascending order. */
export function majors(): number[] {
  return [15, 16, 17, 18].filter((major) => process.env[`TEST_PG_${major}`]);
}

/** The highest major that runs. */
export function newest(): number {
  const last = majors().at(-1);
  if (last === undefined) {
    throw new Error('no PostgreSQL runs: start the tests by `npm test`');
  }
  return last;
}

export class TestDatabase implements AsyncDisposable {
  readonly major: number;
  readonly name: string;
  /** As the superuser. */
  readonly admin: pg.Pool;
  readonly #cluster: URL;

  private constructor(major: number, name: string, cluster: URL) {
    this.major = major;
    this.name = name;
    this.#cluster = cluster;
    this.admin = new pg.Pool({ connectionString: this.url(), max: 4 });
    this.admin.on('error', () => {});
  }

  /** A new empty database owned by application_owner. */
  static async create(major: number = newest()): Promise<TestDatabase> {
    const text = process.env[`TEST_PG_${major}`];
    if (!text) {
      throw new Error(`PostgreSQL ${major} does not run: start the tests by \`npm test\``);
    }
    const name = `t_${randomBytes(6).toString('hex')}`;
    await once(text, `create database ${name} owner ${roles.owner}`);
    return new TestDatabase(major, name, new URL(text));
  }

  get port(): number {
    return Number(this.#cluster.port);
  }

  /** URL of this database; the superuser's unless a role is named. */
  url(role?: string, port: number = this.port): string {
    const url = new URL(this.#cluster);
    url.pathname = `/${this.name}`;
    url.port = String(port);
    if (role) {
      url.username = role;
      url.password = role;
    }
    return url.href;
  }

  async query(sql: string, values?: unknown[]): Promise<pg.QueryResult> {
    return await this.admin.query(sql, values);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.admin.end();
    const cluster = this.#cluster.href;
    const slots = await once(
      cluster,
      `select slot_name, active_pid from pg_replication_slots where database = '${this.name}'`,
    );
    for (const { slot_name: slot } of slots.rows as { slot_name: string }[]) {
      await dropSlot(cluster, slot);
    }
    await once(cluster, `drop database if exists ${this.name} with (force)`);
  }
}

async function dropSlot(cluster: string, slot: string): Promise<void> {
  const quoted = pg.escapeLiteral(slot);
  for (let attempt = 0; ; attempt += 1) {
    await once(
      cluster,
      `select pg_terminate_backend(active_pid, 2000) from pg_replication_slots where slot_name = ${quoted} and active_pid is not null`,
    );
    try {
      await once(
        cluster,
        `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${quoted}`,
      );
      return;
    } catch (error) {
      if (attempt > 20) {
        throw error;
      }
    }
  }
}

async function once(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}
