/**
 * Two databases and the stream between them without a socket: a real slot's messages, read by SQL and decoded, given
 * to a real applier as parts. For tests of apply alone.
 */
import assert from 'node:assert/strict';
import pg from 'pg';
import type { Applier } from '../apply/applier.ts';
import { openApplier } from '../apply/open-applier.ts';
import type { ReplicatedTable, StreamScope } from '../config/model.ts';
import { ident, qualified } from '../database/ident.ts';
import { migrate } from '../database/migrate.ts';
import { silent } from '../log.ts';
import { ParkedView } from '../parking/parked-view.ts';
import { Assembler } from '../pgoutput/assembler.ts';
import { type Lsn, parseLsn } from '../pgoutput/lsn.ts';
import type { Part, Transaction } from '../pgoutput/part.ts';
import { TransactionRun } from '../pgoutput/transaction-run.ts';
import { MemoryPart } from '../provider/memory-part.ts';
import { roles, TestDatabase } from './database.ts';

export interface StreamPairOptions {
  readonly major?: number;
  /** Default: the provider's. */
  readonly subscriberMajor?: number;
  /** DDL run at both sides. */
  readonly ddl: string;
  /** DDL run at the provider only, before the publication. */
  readonly providerDdl?: string;
  /** DDL run at the subscriber only, at the end. */
  readonly subscriberDdl?: string;
  readonly tables: readonly ReplicatedTable[];
  readonly scope?: Partial<StreamScope>;
  /** The publication; default: the tables without filters. */
  readonly publication?: string;
}

export const defaultScope: StreamScope = {
  provider: 'district_a',
  providerIsLeaf: true,
  subtree: new Set(['district_a']),
  elsewhere: new Set(['north', 'district_b']),
  awaited: new Set(),
  adopts: null,
};

/** A table of the replication set with everything at its default. */
export function table(name: string, options: Partial<ReplicatedTable> = {}): ReplicatedTable {
  return {
    schema: 'public',
    name,
    key: null,
    approved: null,
    columns: null,
    at: new Map(),
    identity: 'index',
    carry: 'trigger',
    origin: null,
    orphans: { rule: 'wait' },
    orphansByForeignKey: new Map(),
    deletes: { rule: 'hard' },
    ...options,
  };
}

export class StreamPair implements AsyncDisposable {
  readonly provider: TestDatabase;
  readonly subscriber: TestDatabase;
  readonly #options: StreamPairOptions;
  readonly #slot: string;

  private constructor(
    databases: { provider: TestDatabase; subscriber: TestDatabase },
    options: StreamPairOptions,
  ) {
    this.provider = databases.provider;
    this.subscriber = databases.subscriber;
    this.#options = options;
    this.#slot = `${this.provider.name}_slot`;
  }

  static async create(options: StreamPairOptions): Promise<StreamPair> {
    const provider = await TestDatabase.create(options.major);
    const subscriber = await TestDatabase.create(options.subscriberMajor ?? options.major);
    const pair = new StreamPair({ provider, subscriber }, options);
    await pair.#prepareProvider();
    await pair.#prepareSubscriber();
    return pair;
  }

  get scope(): StreamScope {
    return { ...defaultScope, ...this.#options.scope };
  }

  /** A new applier at the stored position, which it takes over. */
  async applier(
    options: { epoch?: bigint; lockTimeoutMs?: number; port?: number } = {},
  ): Promise<Applier> {
    const { rows } = await this.subscriber.query(
      `update tributary.stream set epoch = greatest(epoch, $1) returning position::text as position, epoch::text as epoch`,
      [(options.epoch ?? 1n).toString()],
    );
    const [row] = rows as { position: string; epoch: string }[];
    assert.ok(row);
    return await openApplier({
      url: this.subscriber.url(roles.writer, options.port),
      applicationName: 'tributary test apply',
      scope: this.scope,
      tables: this.#options.tables,
      node: 'north',
      epoch: BigInt(row.epoch),
      position: parseLsn(row.position),
      parked: new ParkedView(this.scope.provider),
      log: silent,
      ...(options.lockTimeoutMs === undefined ? {} : { lockTimeoutMs: options.lockTimeoutMs }),
    });
  }

  /** Whole transactions the slot holds, as one part; consumed. */
  async part(format: 'text' | 'binary' = 'text'): Promise<Part> {
    return partOf(await this.transactions(format));
  }

  async transactions(format: 'text' | 'binary' = 'text'): Promise<readonly Transaction[]> {
    // The settings of the session that reads a slot by SQL are those its values are written with.
    const client = new pg.Client({
      connectionString: this.provider.url(),
      options:
        '-c datestyle=ISO,YMD -c timezone=UTC -c extra_float_digits=1 -c bytea_output=hex -c intervalstyle=postgres',
    });
    await client.connect();
    try {
      const { rows } = await client.query(
        `select data from pg_logical_slot_get_binary_changes($1, null, null, 'proto_version', '1', 'publication_names', 'tributary_up', 'messages', 'true', 'binary', $2)`,
        [this.#slot, format === 'binary' ? 'true' : 'false'],
      );
      const assembler = new Assembler();
      return (rows as { data: Buffer }[]).flatMap(({ data }) => {
        const whole = assembler.push(data);
        return whole ? new TransactionRun(whole).read() : [];
      });
    } finally {
      await client.end();
    }
  }

  /** Everything the provider has committed, applied here. */
  async drain(applier: Applier, format: 'text' | 'binary' = 'text'): Promise<void> {
    const part = await this.part(format);
    if (part.transactionCount > 0) {
      await applier.apply(part);
    }
  }

  /** Rows as text, sorted, of the provider's columns. */
  async rows(side: 'provider' | 'subscriber', name: string): Promise<readonly string[]> {
    const relation = qualified({ schema: 'public', name });
    const { rows: columns } = await this.provider.query(
      `select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
      [relation],
    );
    const list = (columns as { attname: string }[]).map(({ attname }) => ident(attname));
    const { rows } = await this[side].query(
      `select row(${list.join(', ')})::text as line from ${relation} order by 1`,
    );
    return (rows as { line: string }[]).map(({ line }) => line);
  }

  /** The subscriber's table holds the provider's rows, byte by byte of their text. */
  async assertEqual(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      assert.deepEqual(await this.rows('subscriber', name), await this.rows('provider', name));
    }
  }

  /** What is parked: table, key, reason, SQLSTATE and constraint, column or type, sorted. */
  async parked(): Promise<readonly string[]> {
    const { rows } = await this.subscriber.query(
      `select concat_ws(' ', p.table_name, p.key, p.reason, p.sqlstate, p.constraint_name, p.column_name, p.type_name) as line
       from tributary.parked p order by 1`,
    );
    return (rows as { line: string }[]).map(({ line }) => line);
  }

  async storedPosition(): Promise<Lsn> {
    const { rows } = await this.subscriber.query(
      `select position::text as position from tributary.stream`,
    );
    return parseLsn((rows as { position: string }[])[0]?.position ?? '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provider[Symbol.asyncDispose]();
    await this.subscriber[Symbol.asyncDispose]();
  }

  async #prepareProvider(): Promise<void> {
    const { ddl, providerDdl, tables, publication } = this.#options;
    await this.provider.query(ddl);
    await this.provider.query(providerDdl ?? '');
    const list = tables.map((each) => qualified(each)).join(', ');
    await this.provider.query(
      publication ??
        `create publication tributary_up for table ${list} with (publish_via_partition_root = true)`,
    );
    await this.provider.query(
      `select from pg_create_logical_replication_slot('${this.#slot}', 'pgoutput')`,
    );
  }

  async #prepareSubscriber(): Promise<void> {
    const { ddl, subscriberDdl, tables } = this.#options;
    const client = new pg.Client({ connectionString: this.subscriber.url() });
    await client.connect();
    try {
      await migrate(client);
      await client.query(ddl);
      for (const each of tables) {
        if (each.origin === null) {
          await client.query(
            `alter table ${qualified(each)} add column tributary_origin text not null default 'north'`,
          );
        }
      }
      await client.query(subscriberDdl ?? '');
      await client.query(
        `grant usage on schema tributary, public to ${roles.writer};
         grant all on all tables in schema tributary to ${roles.writer};
         grant all on all sequences in schema tributary to ${roles.writer};
         grant all on all tables in schema public to ${roles.writer}`,
      );
      await client.query(
        `insert into tributary.stream (provider, epoch, slot, position, system_identifier, timeline, publication_oid, publication_nonce)
         values ($1, 1, 'none', '0/1', '1', 1, 1, gen_random_uuid())`,
        [this.scope.provider],
      );
    } finally {
      await client.end();
    }
  }
}

/** The transactions as one part in memory. */
export function partOf(transactions: readonly Transaction[], position?: Lsn): Part {
  const last = transactions.at(-1);
  return new MemoryPart(position ?? last?.endLsn ?? parseLsn('0/0'), {
    transactionCount: transactions.length,
    bytes: 0,
    read: () => transactions,
  });
}

/** As a spooled part: each element a slice of one transaction. */
export function spooledPart(slices: readonly (readonly Transaction[])[], position: Lsn): Part {
  return {
    position,
    transactionCount: 1,
    bytes: 0,
    spooled: true,
    // oxlint-disable-next-line typescript/require-await -- the interface is asynchronous for parts that are on disk
    async *slices() {
      yield* slices;
    },
    release: async () => await Promise.resolve(),
  };
}
