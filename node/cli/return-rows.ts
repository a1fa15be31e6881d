/**
 * Rows that stand here, written into the child's own tables as the child's own: from there they come up again by the
 * stream. Values go as the texts PostgreSQL itself writes and reads. A row that its application's constraints refuse is
 * told and stays listed here.
 */
import pg from 'pg';
import type { NodeConfig, Topology } from '../config/model.ts';
import { replicationSet } from '../config/built-in.ts';
import { nodeOf } from '../config/tree.ts';
import { clientConfig } from '../database/connect.ts';
import type { Query } from '../database/query.ts';
import { sqlFailure } from '../database/sqlstate.ts';
import { TributaryError } from '../errors.ts';
import { tableText } from '../parking/parked-key.ts';
import type { ListedKey } from '../parking/rewound-table.ts';
import { type ReturnSql, returnSql } from './return-sql.ts';

export interface Returning {
  readonly keys: readonly ListedKey[];
  /** The child's database. */
  readonly url: string;
  readonly topology: Topology;
  /** This node. */
  readonly node: NodeConfig;
}

/** Keys of one table that stand at the child by now, or rows that it did not take. */
export type Returned =
  | { readonly returned: readonly ListedKey[] }
  | { readonly refused: number; readonly table: string; readonly sqlstate: string };

/** Of keys that are told at once, as JSON: a request to the process has a bound. */
const portionBytes = 8192;

/**
 * Tells of each portion as soon as it is written: what is not freed by then would be written again by the next `return`,
 * over what the child's application has made of it meanwhile. What was refused comes last.
 * @throws TributaryError provider_refused | provider_unreachable | doubt: the login fails, or another node is there
 */
export async function* returnRows(query: Query, options: Returning): AsyncGenerator<Returned> {
  const [first] = options.keys;
  if (!first) {
    return;
  }
  const client = new pg.Client(
    clientConfig({
      url: options.url,
      applicationName: `tributary ${options.node.name} return`,
    }),
  );
  client.on('error', () => {});
  await connect(client, first.provider);
  try {
    await expectNode(client, first.provider);
    yield* new Return(query, client, options).run();
  } finally {
    await client.end().catch(() => {});
  }
}

async function connect(client: pg.Client, provider: string): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    const sqlstate = sqlFailure(error)?.sqlstate ?? null;
    const code = sqlstate === null ? 'provider_unreachable' : 'provider_refused';
    throw new TributaryError(code, { provider, sqlstate }, { cause: error });
  }
}

/** A day's work goes to the node it came from, and to no other. */
async function expectNode(client: pg.Client, provider: string): Promise<void> {
  const { rows } = await client
    .query<{ name: string }>('select n.name from tributary.node n')
    .catch(() => ({ rows: [] }));
  const node = rows[0]?.name ?? null;
  if (node !== provider) {
    throw new TributaryError('doubt', { provider, doubt: 'node_name_differs', node });
  }
}

class Return {
  readonly #query: Query;
  readonly #client: pg.Client;
  readonly #options: Returning;
  readonly #columns = new Map<string, ReturnSql | null>();

  constructor(query: Query, client: pg.Client, options: Returning) {
    this.#query = query;
    this.#client = client;
    this.#options = options;
  }

  /** Rows that refer to others are tried again once those are there. */
  async *run(): AsyncGenerator<Returned> {
    let open: readonly ListedKey[] = this.#options.keys;
    for (;;) {
      const states = new Map<ListedKey, string>();
      for (const portion of portionsOf(open)) {
        const returned = await this.#portion(portion, states);
        if (returned.length > 0) {
          yield { returned };
        }
      }
      if (states.size === 0 || states.size === open.length) {
        yield* refusedOf(states);
        return;
      }
      open = [...states.keys()];
    }
  }

  /** Those that stand there; of the others the states. */
  async #portion(
    keys: readonly ListedKey[],
    states: Map<ListedKey, string>,
  ): Promise<readonly ListedKey[]> {
    const returned: ListedKey[] = [];
    for (const key of keys) {
      const state = await this.#one(key);
      if (state === null) {
        returned.push(key);
      } else {
        states.set(key, state);
      }
    }
    return returned;
  }

  /** Null: it stands there. Else why not: a SQLSTATE, or a word. */
  async #one(key: ListedKey): Promise<string | null> {
    const columns = await this.#columnsOf(key);
    if (!columns) {
      return 'no_table';
    }
    const row = await this.#read(key, columns);
    if (!row) {
      // Removed here since: nothing to give back.
      return null;
    }
    if (row.origin !== key.provider) {
      return 'of_another_node';
    }
    try {
      await this.#client.query(columns.upsert, [...row.values]);
      // crash point: row-returned
      return null;
    } catch (error) {
      const state = sqlFailure(error)?.sqlstate;
      if (state === undefined || state === null) {
        throw new TributaryError(
          'provider_unreachable',
          { provider: key.provider },
          { cause: error },
        );
      }
      return state;
    }
  }

  async #read({ key }: ListedKey, columns: ReturnSql): Promise<Row | null> {
    const { rows } = await this.#query(columns.select, [JSON.stringify(key)]);
    const [row] = rows as readonly { origin: string; values: (string | null)[] }[];
    return row ?? null;
  }

  async #columnsOf({ table, provider }: ListedKey): Promise<ReturnSql | null> {
    const name = tableText(table);
    const known = this.#columns.get(name);
    if (known !== undefined) {
      return known;
    }
    const set = replicationSet(this.#options.topology);
    const own = set.find((each) => each.schema === table.schema && each.name === table.name);
    const child = nodeOf(this.#options.topology, provider);
    const made = own ? await returnSql(this.#query, this.#client, { table: own, child }) : null;
    this.#columns.set(name, made);
    return made;
  }
}

/** In their order, each of one table. */
function portionsOf(keys: readonly ListedKey[]): readonly (readonly ListedKey[])[] {
  const portions: ListedKey[][] = [];
  for (const some of Map.groupBy(keys, ({ table }) => tableText(table)).values()) {
    let bytes = Infinity;
    for (const one of some) {
      bytes += Buffer.byteLength(JSON.stringify(one.key));
      if (bytes > portionBytes) {
        bytes = 0;
        portions.push([]);
      }
      portions.at(-1)?.push(one);
    }
  }
  return portions;
}

function refusedOf(states: ReadonlyMap<ListedKey, string>): readonly Returned[] {
  const kinds = Map.groupBy(states, ([key, state]) => `${state} ${tableText(key.table)}`);
  return [...kinds].map(([kind, some]) => ({
    sqlstate: kind.slice(0, kind.indexOf(' ')),
    table: kind.slice(kind.indexOf(' ') + 1),
    refused: some.length,
  }));
}

interface Row {
  readonly origin: string;
  readonly values: readonly (string | null)[];
}
