/** A test tree on which incidents happen, and the Prometheus that scrapes all of it but district_b, which is behind NAT. */
import { readFile, writeFile } from 'node:fs/promises';
import { roles } from './database.ts';
import { Incidents } from './incidents.ts';
import { Prometheus } from './prometheus.ts';
import type { Tree } from './tree.ts';

export class Scene implements AsyncDisposable {
  readonly tree: Tree;
  readonly incidents: Incidents;
  readonly #prometheus: Prometheus;

  private constructor(tree: Tree, prometheus: Prometheus) {
    this.tree = tree;
    this.#prometheus = prometheus;
    this.incidents = new Incidents(prometheus);
  }

  /** Runs, but that nothing was ever heard of district_b. */
  static async open(tree: Tree, factor: number): Promise<Scene> {
    await tree
      .node('district_b')
      .database.query(
        `insert into public.facility (code, name) select 'early-' || n, repeat('x', 1000) from generate_series(1, 3000) n`,
      );
    tree.link('district_b').refuse();
    for (const { name } of tree.nodes) {
      tree.start(name);
    }
    const scraped = tree.nodes.filter(({ name }) => name !== 'district_b');
    const prometheus = await Prometheus.start({
      targets: Object.fromEntries(scraped.map(({ name, httpPort }) => [name, httpPort])),
      factor,
    });
    const scene = new Scene(tree, prometheus);
    await tree.until(async () => (await prometheus.query('tributary_ready == 1')).length === 3, {
      what: 'every node that is scraped is ready',
      ms: 180_000,
    });
    return scene;
  }

  /** As the superuser of a node's PostgreSQL. */
  async sql(node: string, text: string): Promise<void> {
    await this.tree.node(node).database.query(text);
  }

  /** A clock that is wrong by so much, for whoever the node's process asks; null: right again. */
  async clock(node: string, wrongBy: string | null): Promise<void> {
    const { writer } = roles;
    await this.sql(
      node,
      wrongBy === null
        ? `alter role ${writer} in database records reset search_path`
        : `create schema if not exists clock;
           grant usage on schema clock to ${writer};
           create or replace function clock.clock_timestamp() returns timestamptz language sql
             as $$ select pg_catalog.clock_timestamp() + interval '${wrongBy}' $$;
           alter role ${writer} in database records set search_path = clock, pg_catalog, public`,
    );
    await this.sql(
      node,
      `select pg_terminate_backend(pid) from pg_stat_activity
       where usename = '${writer}' and application_name not like '%leader'`,
    );
  }

  /** Writes so many megabytes of log at a node, of which nothing travels, one at a time. */
  async write(node: string, megabytes: number): Promise<void> {
    for (let written = 0; written < megabytes; written += 1) {
      if (written % 50 === 0) {
        // Log is wanted, not rows: some stand on a small disk.
        await this.sql(node, 'truncate public.unrelated');
      }
      await this.sql(
        node,
        `insert into public.unrelated (filler) select repeat(md5(random()::text), 32) from generate_series(1, 1000)`,
      );
    }
  }

  /** Approved rows with so many kilobytes of text in all. */
  async approve(node: string, kilobytes: number): Promise<void> {
    await this.sql(
      node,
      `insert into public.case_report (id, status, narrative)
       select gen_random_uuid(), 'approved', repeat('x', 10000) from generate_series(1, ${kilobytes / 10})`,
    );
  }

  /** Changes the topology file, and lets these nodes read it. The text before, to be put back. */
  async edit(nodes: readonly string[], change: (text: string) => string): Promise<string> {
    const { file } = this.tree;
    const before = await readFile(file, 'utf8');
    await writeFile(file, change(before));
    for (const node of nodes) {
      this.tree.process(node).signal('SIGHUP');
    }
    return before;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#prometheus[Symbol.asyncDispose]();
  }
}
