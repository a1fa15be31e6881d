/** Many children: prepared databases on a few servers, each with a session that writes what its own node would. */
import pg from 'pg';
import { ident, literal } from '../../node/database/ident.ts';
import type { Cluster } from '../../node/testing/cluster.ts';
import { Country, type Place } from '../country.ts';
import { SlotRelay } from './slot-relay.ts';

export const parent = 'region_0000';
export const heartbeatSeconds = 2;
const slot = `tributary_${parent}`;
const template = 'child_template';

export const scaleSql = `
  create table public.visit (
    id uuid primary key default gen_random_uuid(),
    status text not null default 'approved',
    note text not null default repeat('x', 100),
    unique (id, status)
  );
`;

export const scaleTables = `tables:\n  - table: public.visit\n    approved: status = 'approved'\n`;

/** A heartbeat every two seconds, as a node writes it, and every fifth time a row; until it is ended. */
const workSql = `
  create procedure public.work(name text, pace interval) language plpgsql as $$
  declare
    turn integer := floor(random() * 5);
  begin
    -- Children do not beat in step.
    perform pg_sleep(random() * extract(epoch from pace));
    loop
      with line as (
        insert into tributary.heartbeat_log (nonce, lsn, at)
        values (gen_random_uuid(), pg_current_wal_insert_lsn(), clock_timestamp()) returning nonce, lsn, at
      )
      insert into tributary.heartbeat (node, at, lsn, nonce, version, topology)
      select name, line.at, line.lsn, line.nonce, 'bench', 'bench' from line
      on conflict (node) do update set at = excluded.at, lsn = excluded.lsn, nonce = excluded.nonce;
      turn := turn + 1;
      if turn % 5 = 0 then
        insert into public.visit default values;
      end if;
      commit;
      perform pg_sleep(extract(epoch from pace));
    end loop;
  end
  $$;
`;

export class Children implements AsyncDisposable {
  readonly places: readonly Place[];
  readonly #stack: AsyncDisposableStack;
  #workers: pg.Client[] = [];

  private constructor(places: readonly Place[], stack: AsyncDisposableStack) {
    this.places = places;
    this.#stack = stack;
  }

  /** @param clusters the children are dealt out to them */
  static async create(count: number, clusters: readonly Cluster[]): Promise<Children> {
    await using stack = new AsyncDisposableStack();
    const relays: SlotRelay[] = [];
    for (const cluster of clusters) {
      await makeTemplate(cluster);
      relays.push(stack.use(await SlotRelay.start(cluster.port, { slot, slotOf })));
    }
    const places: Place[] = [];
    for (let at = 0; at < count; at += 1) {
      const cluster = clusters[at % clusters.length];
      const relay = relays[at % clusters.length];
      if (cluster && relay) {
        const name = `c${String(at + 1).padStart(4, '0')}`;
        await makeChild(cluster, name);
        const child = { name, level: 'district', parent, database: name };
        places.push({ ...child, cluster, providerPort: relay.port });
      }
    }
    return new Children(places, stack.move());
  }

  /** The first so many begin to write. */
  async work(count: number): Promise<void> {
    for (const { cluster, database, name } of this.places.slice(0, count)) {
      const client = new pg.Client({ connectionString: cluster.url({ database }) });
      client.on('error', () => {});
      await client.connect();
      this.#workers.push(client);
      client.query('call public.work($1, $2)', [name, `${heartbeatSeconds}s`]).catch(() => {});
    }
  }

  async rest(): Promise<void> {
    for (const cluster of new Set(this.places.map((place) => place.cluster))) {
      await cluster.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where query like 'call public.work%' and pid <> pg_backend_pid()`,
      );
    }
    await Promise.all(this.#workers.map(async (client) => await client.end().catch(() => {})));
    this.#workers = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rest();
    await this.#stack.disposeAsync();
  }
}

function slotOf(database: string): string {
  return `tributary_region_${database.slice(-4)}`;
}

/** Prepared once for a node of another name: what `prepare` makes in a leaf names the node in one row only. */
async function makeTemplate(cluster: Cluster): Promise<void> {
  await cluster.query(`create database ${template}`);
  await cluster.query(scaleSql, template);
  const country = await Country.create({
    places: [
      { name: parent, level: 'region', parent: null, cluster, database: 'none' },
      { name: 'c0000', level: 'district', parent, cluster, database: template },
    ],
    tables: scaleTables,
    heartbeat: '30s',
  });
  await country.prepare(['c0000']);
  await cluster.query(workSql, template);
  await country[Symbol.asyncDispose]();
}

async function makeChild(cluster: Cluster, name: string): Promise<void> {
  await cluster.query(`create database ${ident(name)} template ${template} strategy file_copy`);
  await cluster.query(`update tributary.node set name = ${literal(name)}`, name);
}
