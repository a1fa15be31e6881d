/** Opens tables of a stream for reading on both sides, over one connection to the provider that is opened when needed. */
import type { ReplicatedTable, StreamScope } from '../config/model.ts';
import { ident } from '../database/ident.ts';
import type { Query } from '../database/query.ts';
import type { TableName } from '../parking/parked-key.ts';
import type { ProviderTable } from '../provider/provider.ts';
import type { Reader } from '../provider/reader.ts';
import { LocalRanges } from './local-ranges.ts';
import { planTable } from './plan-table.ts';
import type { StreamSide } from './stream-side.ts';
import type { TablePlan } from './table-plan.ts';
import type { TableSide } from './table-side.ts';

export interface TableSidesOptions {
  readonly stream: StreamSide;
  /** The replication set, heartbeat and audit included. */
  readonly tables: readonly ReplicatedTable[];
  /** This node's own database. */
  readonly query: Query;
  /** The same for what takes as long as a table is large: no limit of time but the signal. */
  readonly patient: (signal: AbortSignal) => Query;
}

export class TableSides implements AsyncDisposable {
  readonly #options: TableSidesOptions;
  #reader: Reader | null = null;

  constructor(options: TableSidesOptions) {
    this.#options = options;
  }

  /** Published tables that are of the set. @throws TributaryError provider_* */
  async published(): Promise<readonly ProviderTable[]> {
    const { stream, tables } = this.#options;
    const { tables: published } = await stream.provider.describe();
    return published.filter((each) =>
      tables.some(({ schema, name }) => schema === each.schema && name === each.name),
    );
  }

  /** @throws TributaryError drifted | provider_* */
  async open(
    table: TableName,
    published: readonly ProviderTable[],
    signal: AbortSignal,
  ): Promise<TableSide> {
    const { stream, query, patient, tables } = this.#options;
    const plan = await planTable(table, { published, tables, scope: stream.scope, query });
    const reader = await this.reader();
    await leaveOutOthers(reader, plan, stream.scope);
    return {
      stream,
      plan,
      reader,
      local: new LocalRanges({ query, patient: patient(signal) }, plan, {
        subtree: judged(stream.scope),
        ...here(table, tables),
      }),
      query,
      signal,
    };
  }

  /** @throws TributaryError provider_* */
  async reader(): Promise<Reader> {
    this.#reader ??= await this.#options.stream.provider.openReader();
    return this.#reader;
  }

  /** Ends the connection; the next use opens another. */
  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = null;
    await reader?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The origins whose rows are compared. */
export function judged({ subtree, awaited }: StreamScope): ReadonlySet<string> {
  return awaited.size === 0 ? subtree : new Set([...subtree].filter((name) => !awaited.has(name)));
}

/** A provider may hold rows of origins that come by another way: those it had before they moved, until it forgets them. */
export async function leaveOutOthers(
  reader: Reader,
  { originColumn }: TablePlan,
  { providerIsLeaf, elsewhere, awaited }: StreamScope,
): Promise<void> {
  const origins = providerIsLeaf ? [] : [...elsewhere, ...awaited];
  await reader.leaveOut({ column: originColumn, origins });
}

/** A row that is softly deleted here does not count as one. */
export function here(
  { schema, name }: TableName,
  tables: readonly ReplicatedTable[],
): { readonly condition?: string } {
  const table = tables.find((each) => each.schema === schema && each.name === name);
  return table?.deletes.rule === 'soft'
    ? { condition: `t.${ident(table.deletes.column)} is not true` }
    : {};
}
