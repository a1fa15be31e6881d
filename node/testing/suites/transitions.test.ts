/** The six ways a row changes its standing, with a value that lies out of line and that approving does not touch. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { ApplicationTable } from '../application.ts';
import { majors, roles } from '../database.ts';
import type { NodeDatabase } from '../node-database.ts';
import { chain, Tree } from '../tree.ts';
import { until } from '../until.ts';

const approved = "status = 'approved'";
const tables: readonly ApplicationTable[] = [
  { name: 'by_index', approved, key: 'id' },
  { name: 'by_full', approved, key: 'id' },
];

const columns = `(
  id uuid primary key,
  status text not null,
  note text,
  image bytea,
  story text
);`;

const application = {
  tables,
  sql: ['by_index', 'by_full', 'native']
    .map((name) => `create table public.${name} ${columns}`)
    .join(''),
  yaml: `tables:
  - {table: public.by_index, approved: "${approved}"}
  - {table: public.by_full, approved: "${approved}", identity: full}
`,
};

const id = '00000000-0000-4000-8000-000000000001';
/** 20 kB that no compression makes small enough to lie in line. */
const image = randomBytes(20_000);
const story = randomBytes(10_000).toString('hex');

for (const major of majors()) {
  void test(`on PostgreSQL ${major} only approved rows leave, and whole, at every level`, async () => {
    await using tree = await Tree.create({ parents: chain, major, application });
    for (const { name } of tables) {
      await sixTransitions(new Subject(tree, name));
    }
    await tree.waitLevel();
  });

  void test(`on PostgreSQL ${major} a native subscription loses the value an approval does not touch`, async () => {
    await using tree = await Tree.create({
      parents: { alone: null },
      major,
      application,
      start: false,
    });
    const { database } = tree.node('alone');
    await using copy = await NativeCopy.of(database);
    await database.query(`insert into public.native values ($1, 'draft', 'a', $2, $3)`, [
      id,
      image,
      story,
    ]);
    await database.query(`update public.native set status = 'approved' where id = $1`, [id]);
    const row = await until(async () => (await copy.rows())[0], { what: 'the native copy' });
    assert.deepEqual(row, { status: 'approved', note: 'a', image: null, story: null });
  });
}

async function sixTransitions(subject: Subject): Promise<void> {
  const { table } = subject;
  await subject.change(`insert into public.${table} values ($1, 'draft', 'a', $2, $3)`, [
    image,
    story,
  ]);
  await subject.isAbsent('a draft');
  await subject.change(`update public.${table} set status = 'approved' where id = $1`);
  await subject.isWhole('a', 'approved');
  await subject.change(`update public.${table} set note = 'b' where id = $1`);
  await subject.isWhole('b', 'edited');
  await subject.change(`update public.${table} set status = 'withdrawn' where id = $1`);
  await subject.isAbsent('withdrawn');
  await subject.change(`update public.${table} set status = 'approved', note = 'c' where id = $1`);
  await subject.isWhole('c', 'approved again');
  await subject.change(`delete from public.${table} where id = $1`);
  await subject.isAbsent('deleted');
}

/** One row of one table, changed at the leaf and looked at above it. */
class Subject {
  readonly table: string;
  readonly #tree: Tree;

  constructor(tree: Tree, table: string) {
    this.#tree = tree;
    this.table = table;
  }

  /** Changes the row, then passes every level with another row, so that what did not arrive never will. */
  async change(sql: string, values: readonly unknown[] = []): Promise<void> {
    const leaf = this.#tree.node('district_a').database;
    const writer = await leaf.client(roles.owner);
    await writer.query(sql, [id, ...values]);
    const { rows } = await writer.query<{ id: string }>(
      `insert into public.${this.table} values (gen_random_uuid(), 'approved') returning id`,
    );
    await writer.end();
    await this.#tree.until(
      async () =>
        (
          await this.#at('nation').query(`select from public.${this.table} where id = $1`, [
            rows[0]?.id,
          ])
        ).length === 1,
      { what: `a later row of ${this.table} at the nation` },
    );
  }

  async isAbsent(what: string): Promise<void> {
    for (const level of ['north', 'nation']) {
      assert.deepEqual(await this.#row(level), [], `${what}: ${this.table} at ${level}`);
    }
  }

  async isWhole(note: string, what: string): Promise<void> {
    for (const level of ['north', 'nation']) {
      const [row] = await this.#row(level);
      assert.equal(row?.note, note, `${what}: ${this.table} at ${level}`);
      assert.equal(row?.tributary_origin, 'district_a');
      assert.ok(row?.image?.equals(image), `${what}: every byte of ${this.table} at ${level}`);
      assert.ok(row?.story === story, `${what}: every character of ${this.table} at ${level}`);
    }
  }

  async #row(
    level: string,
  ): Promise<
    { note: string; image: Buffer | null; story: string | null; tributary_origin: string }[]
  > {
    return await this.#at(level).query(
      `select note, image, story, tributary_origin from public.${this.table} where id = $1`,
      [id],
    );
  }

  #at(level: string): NodeDatabase {
    return this.#tree.node(level).database;
  }
}

/** PostgreSQL's own subscriber to the table `native`, in another database of the same cluster. */
class NativeCopy implements AsyncDisposable {
  readonly #database: NodeDatabase;

  private constructor(database: NodeDatabase) {
    this.#database = database;
  }

  static async of(database: NodeDatabase): Promise<NativeCopy> {
    await database.query(`create unique index native_identity on public.native (id, status)`);
    await database.query(`alter table public.native replica identity using index native_identity`);
    await database.query(`create publication native for table public.native where (${approved})`);
    await database.query(`select pg_create_logical_replication_slot('native', 'pgoutput')`);
    await database.query(`create database native_copy`);
    await database.cluster.query(`create table public.native ${columns}`, 'native_copy');
    await database.cluster.query(
      `create subscription native connection '${database.url()}' publication native
       with (create_slot = false, slot_name = 'native', copy_data = false)`,
      'native_copy',
    );
    return new NativeCopy(database);
  }

  async rows(): Promise<unknown[]> {
    const sql = `select status, note, image, story from public.native`;
    return (await this.#database.cluster.query(sql, 'native_copy')).rows;
  }

  /** The subscription holds the slot: it goes first. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.cluster.query(`drop subscription native`, 'native_copy');
  }
}
