/**
 * Ranges of the published tables over a connection to the provider's PostgreSQL, by the functions of its schema
 * `tributary`. Answers come as COPY in binary format: no value is parsed, and a large answer is not a million objects.
 */
import type { Socket } from 'node:net';
import pg from 'pg';
import { clientConfig, politeLockTimeoutMs } from '../database/connect.ts';
import { ident, literal } from '../database/ident.ts';
import { parseLsn, withoutPageHeader } from '../pgoutput/lsn.ts';
import type { Lsn } from '../pgoutput/lsn.ts';
import { BufferPool } from '../pgoutput/buffer-pool.ts';
import type { Tuple } from '../pgoutput/tuple.ts';
import { copyOut } from './copy-out.ts';
import { rowsOfCopy } from './copy-rows.ts';
import { providerFailure } from './failure.ts';
import type {
  Block,
  HashedRow,
  Key,
  KeyRange,
  LeftOut,
  RangeDigest,
  Reader,
  Rows,
  TableColumns,
  View,
} from './reader.ts';
import { readSocket } from './read-socket.ts';
import type { SessionOptions } from './session.ts';
import { parseSnapshot, type Snapshot } from './snapshot.ts';

/** Nothing came for so long: a digest of a large range takes its time, a link that swallows packets for ever. */
const silenceMs = 120_000;
/** Of pages that were written. */
const keptBytes = 4 << 20;
/** Room for an answer of which nothing is known. */
const answerBytes = 64 << 10;

export async function openDirectReader(
  options: Omit<SessionOptions, 'replication'>,
): Promise<Reader> {
  const settings = { lock_timeout: politeLockTimeoutMs };
  const client = new pg.Client({
    ...clientConfig({ ...options, settings }),
    stream: readSocket,
  });
  // The failure of the statement that runs, or of the next, says the same.
  client.on('error', () => {});
  const connection = new Connection(client, options.provider);
  await connection.guarded(client.connect());
  return new DirectReader(connection);
}

class Connection {
  readonly #client: pg.Client;
  readonly #provider: string;
  readonly #types = new Map<string, ReadonlyMap<string, string>>();
  /** Whether the provider can be asked for digests of whole ranges; null: it was not asked yet. */
  digests: boolean | null = null;
  /** A page is read while the one before is written. */
  readonly buffers = new BufferPool(keptBytes);

  constructor(client: pg.Client, provider: string) {
    this.#client = client;
    this.#provider = provider;
  }

  get bytes(): number {
    return this.#socket.bytesRead;
  }

  async guarded<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw providerFailure(error, this.#provider, 'asking');
    }
  }

  async ask<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const ended = this.#watch();
    try {
      const { rows } = await this.guarded(this.#client.query<Row>(sql, [...values]));
      return rows;
    } finally {
      ended();
    }
  }

  /** The whole answer of a query. */
  async copy(query: string, expectedBytes: number): Promise<Buffer> {
    let ended = this.#watch();
    const heard = (): void => {
      ended();
      ended = this.#watch();
    };
    try {
      const text = `copy (${query}) to stdout (format binary)`;
      const { buffers } = this;
      return await this.guarded(copyOut(this.#client, text, { buffers, expectedBytes, heard }));
    } finally {
      ended();
    }
  }

  /** Type names of the columns of a table, asked once. */
  async typesOf({ schema, name }: TableColumns): Promise<ReadonlyMap<string, string>> {
    const known = this.#types.get(`${schema}.${name}`);
    if (known) {
      return known;
    }
    const rows = await this.ask<{ name: string; type: string }>(
      `select a.attname as name, pg_catalog.format_type(a.atttypid, -1) as type
       from pg_catalog.pg_attribute a
       join pg_catalog.pg_class c on c.oid = a.attrelid
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped`,
      [schema, name],
    );
    const types = new Map(rows.map((row) => [row.name, row.type]));
    this.#types.set(`${schema}.${name}`, types);
    return types;
  }

  async end(): Promise<void> {
    const ended = this.#watch(2000);
    await this.#client.end().catch(() => {});
    ended();
  }

  /** A connection that says nothing is ended from here: pg has no public way to say so, nor its socket. */
  #watch(ms = silenceMs): () => void {
    const timer = setTimeout(() => {
      this.#socket.destroy();
    }, ms);
    return () => {
      clearTimeout(timer);
    };
  }

  get #socket(): Socket {
    return (this.#client as unknown as { connection: { stream: Socket } }).connection.stream;
  }
}

class DirectReader implements Reader {
  readonly #connection: Connection;
  /** The view before is over. */
  #free: Promise<void> = Promise.resolve();
  /** What the session was told, by setting. */
  readonly #told = new Map<string, string>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get bytes(): number {
    return this.#connection.bytes;
  }

  async leaveOut({ column, origins }: LeftOut): Promise<void> {
    // The names are many, and the same for every table.
    await this.#tell(
      'tributary.without_origins',
      origins.length > 0 ? JSON.stringify(origins) : '',
    );
    await this.#tell('tributary.origin_column', origins.length > 0 ? column : '');
  }

  async #tell(setting: string, value: string): Promise<void> {
    if ((this.#told.get(setting) ?? '') !== value) {
      await this.#free;
      await this.#connection.ask(`select pg_catalog.set_config($1, $2, false)`, [setting, value]);
      this.#told.set(setting, value);
    }
  }

  async look(): Promise<View> {
    await this.#free;
    const ended = Promise.withResolvers<void>();
    this.#free = ended.promise;
    try {
      return await this.#begin(ended.resolve);
    } catch (error) {
      ended.resolve();
      throw error;
    }
  }

  async #begin(ended: () => void): Promise<View> {
    await this.#connection.ask('begin isolation level repeatable read read only');
    const rows = await this.#connection.ask<{ snapshot: string; position: string }>(
      // With asynchronous commit the written position is behind commits that are visible.
      `select pg_catalog.pg_current_snapshot()::text as snapshot, pg_catalog.pg_current_wal_insert_lsn()::text as position`,
    );
    const { snapshot = '', position = '' } = rows[0] ?? {};
    return new DirectView(this.#connection, {
      snapshot: parseSnapshot(snapshot),
      position: withoutPageHeader(parseLsn(position)),
      ended,
    });
  }

  async runningXids(): Promise<ReadonlySet<number>> {
    // Every transaction holds the lock on its own id until other sessions see what it did.
    const rows = await this.#connection.ask<{ xid: string }>(
      `select l.transactionid::text as xid from pg_catalog.pg_locks l
       where l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.granted`,
    );
    return new Set(rows.map(({ xid }) => Number(xid)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.end();
  }
}

class DirectView implements View {
  readonly snapshot: Snapshot;
  readonly position: Lsn;
  readonly #connection: Connection;
  readonly #ended: () => void;
  #over = false;

  constructor(
    connection: Connection,
    at: { readonly snapshot: Snapshot; readonly position: Lsn; readonly ended: () => void },
  ) {
    this.#connection = connection;
    this.#ended = at.ended;
    this.snapshot = at.snapshot;
    this.position = at.position;
  }

  async estimate({ schema, name }: TableColumns): Promise<number> {
    const rows = await this.#connection.ask<{ rows: string }>(
      `select tributary.published_estimate($1, $2)::text as rows`,
      [schema, name],
    );
    return Number(rows[0]?.rows ?? 0);
  }

  async storedBytes({ schema, name }: TableColumns): Promise<number> {
    const [found] = await this.#connection.ask<{ bytes: string | null }>(
      `select coalesce(
         (select sum(pg_catalog.pg_table_size(p.relid)) from pg_catalog.pg_partition_tree(c.oid) p),
         pg_catalog.pg_table_size(c.oid)
       )::text as bytes
       from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       where n.nspname = $1 and c.relname = $2`,
      [schema, name],
    );
    return Number(found?.bytes ?? 0);
  }

  async blocks(
    { schema, name, columns, key }: TableColumns,
    ranges: readonly KeyRange[],
    { rows, block }: { readonly rows: number; readonly block: number },
  ): Promise<readonly Block[]> {
    const found = await this.#connection.ask<{
      range: number;
      last_key: Key | null;
      count: string;
      digest: string;
    }>(
      `select b.range, b.last_key, b.count::text as count, b.digest::text as digest
       from tributary.published_blocks($1, $2, $3, $4, $5, $6, $7) b`,
      [schema, name, columns, key, boundsOf(ranges), rows, block],
    );
    return found.map(({ range, last_key: lastKey, count, digest }) => ({
      range,
      lastKey,
      count: Number(count),
      digest: BigInt(digest),
    }));
  }

  async hasDigests(): Promise<boolean> {
    if (this.#connection.digests === null) {
      const [found] = await this.#connection.ask<{ allowed: boolean }>(
        `select bool_and(coalesce(has_function_privilege(f.oid, 'execute'), false)) as allowed
         from (values
           (to_regprocedure('tributary.published_digest(text, text, text[], text[], text[], text[])')),
           (to_regprocedure('tributary.published_key_after(text, text, text[], text[], bigint)'))
         ) f (oid)`,
      );
      this.#connection.digests = found?.allowed ?? false;
    }
    return this.#connection.digests;
  }

  async keyAfter(
    { schema, name, key }: TableColumns,
    after: Key | null,
    rows: number,
  ): Promise<Key | null> {
    const [found] = await this.#connection.ask<{ key: Key | null }>(
      `select tributary.published_key_after($1, $2, $3, $4, $5) as key`,
      [schema, name, key, after, rows],
    );
    return found?.key ?? null;
  }

  async digest(
    { schema, name, columns, key }: TableColumns,
    { after, upto }: KeyRange,
  ): Promise<RangeDigest> {
    const [found] = await this.#connection.ask<{ count: string; digest: string }>(
      `select d.count::text as count, d.digest::text as digest from tributary.published_digest($1, $2, $3, $4, $5, $6) d`,
      [schema, name, columns, key, after, upto],
    );
    return { count: Number(found?.count ?? 0), digest: BigInt(found?.digest ?? 0) };
  }

  async hashes(table: TableColumns, ranges: readonly KeyRange[]): Promise<readonly HashedRow[]> {
    const types = await this.#connection.typesOf(table);
    const uuids = table.key.map((name) => types.get(name) === 'uuid');
    const list = ['range integer', ...uuids.map((is, n) => `k${n} ${is ? 'uuid' : 'text'}`)];
    const bytes = await this.#connection.copy(
      `select * from tributary.published_hashes(${named(table)}, ${literal(boundsOf(ranges))}) h (${list.join(', ')}, hash bigint)`,
      answerBytes,
    );
    return rowsOfCopy(bytes, 'binary').map((row) => ({
      range: row.value(0)?.readInt32BE(0) ?? 0,
      key: uuids.map((isUuid, n) => keyText(row.value(n + 1), isUuid)),
      hash: row.value(uuids.length + 1)?.readBigInt64BE(0) ?? 0n,
    }));
  }

  async rows(
    table: TableColumns,
    { after, upto }: KeyRange,
    { rows, bytes, form }: { rows: number; bytes: number; form: 'text' | 'binary' },
  ): Promise<Rows> {
    return await this.#rows(table, form, {
      name: 'published_rows',
      rest: `${array(after)}, ${array(upto)}, ${rows}, ${bytes}`,
      bytes,
    });
  }

  async rowsByKey(
    table: TableColumns,
    keys: readonly Key[],
    { bytes, form }: { bytes: number; form: 'text' | 'binary' },
  ): Promise<readonly Tuple[]> {
    const { tuples } = await this.#rows(table, form, {
      name: 'published_rows_by_key',
      rest: `${literal(JSON.stringify(keys))}, ${bytes}`,
      bytes,
    });
    return tuples;
  }

  async hashesByKey(
    { schema, name, columns, key }: TableColumns,
    keys: readonly Key[],
  ): Promise<ReadonlyMap<number, bigint>> {
    const rows = await this.#connection.ask<{ number: number; hash: string }>(
      `select h.number, h.hash::text as hash from tributary.published_hashes_by_key($1, $2, $3, $4, $5) h`,
      [schema, name, columns, key, JSON.stringify(keys)],
    );
    return new Map(rows.map(({ number, hash }) => [number, BigInt(hash)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) {
      this.#over = true;
      await this.#connection.ask('commit').catch(() => {});
      this.#ended();
    }
  }

  async #rows(
    table: TableColumns,
    form: 'text' | 'binary',
    call: { readonly name: string; readonly rest: string; readonly bytes: number },
  ): Promise<Rows> {
    const types = form === 'binary' ? await this.#connection.typesOf(table) : null;
    const list = table.columns.map((name) => `${ident(name)} ${types?.get(name) ?? 'text'}`);
    const bytes = await this.#connection.copy(
      `select * from tributary.${call.name}(${named(table)}, ${literal(form)}, ${call.rest}) r (${list.join(', ')})`,
      // The values, and what stands before each.
      call.bytes + (call.bytes >> 2) + answerBytes,
    );
    const tuples = rowsOfCopy(bytes, form);
    return {
      tuples,
      [Symbol.dispose]: () => {
        this.#connection.buffers.give(bytes);
      },
    };
  }
}

function named({ schema, name, columns, key }: TableColumns): string {
  return `${literal(schema)}, ${literal(name)}, ${array(columns)}, ${array(key)}`;
}

/** JSON: an array of [after, upto]. */
function boundsOf(ranges: readonly KeyRange[]): string {
  return JSON.stringify(ranges.map(({ after, upto }) => [after, upto]));
}

function array(texts: readonly string[] | null): string {
  return texts === null ? 'null::text[]' : `array[${texts.map(literal).join(', ')}]::text[]`;
}

function keyText(bytes: Buffer | null, isUuid: boolean): string {
  if (!bytes) {
    return '';
  }
  return isUuid
    ? bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    : bytes.toString('utf8');
}
