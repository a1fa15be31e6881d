/**
 * The layouts of the relations of one stream, looked up in the local catalogue when a RELATION is first seen. Where rows
 * of a relation are impossible here, its changes are left out, and everything else goes on.
 */
import type { ReplicatedTable, StreamScope } from '../config/model.ts';
import type { Log } from '../log.ts';
import type { Relation, RelationColumn } from '../pgoutput/messages.ts';
import type { Transaction } from '../pgoutput/part.ts';
import { type Drift, type Flags, isDrift, type Layout, layoutOf } from './layout.ts';
import { tableText, type TableName } from '../parking/parked-key.ts';
import type { TableDrift } from '../parking/table-drift.ts';
import type { Query } from './session.ts';
import { loadTarget } from './target.ts';

export interface LayoutsOptions {
  readonly query: Query;
  readonly scope: StreamScope;
  readonly tables: readonly ReplicatedTable[];
  readonly log: Log;
}

/** A partial layout is looked up again after this long: the missing column may have been added. */
const partialMs = 60_000;

interface Known {
  readonly layout: Layout | null;
  readonly drift: TableDrift | null;
  readonly until: number;
}

/** A table that is not alike on both sides: its changes are left out, or rows go in without some columns. */
export interface Uneven {
  readonly table: TableName;
  readonly drift: TableDrift | null;
  readonly setAside: readonly RelationColumn[];
}

/** The columns of a table that each node keeps for itself. */
export function flagsOf({ deletes, orphans, orphansByForeignKey }: ReplicatedTable): Flags {
  const rules = [orphans, ...orphansByForeignKey.values()];
  const active = rules.flatMap((rule) => (rule.rule === 'deactivate' ? [rule.column] : []));
  return { soft: deletes.rule === 'soft' ? deletes.column : null, active: [...new Set(active)] };
}

export class Layouts {
  readonly #options: LayoutsOptions;
  readonly #tables: ReadonlyMap<string, ReplicatedTable>;
  #known = new WeakMap<Relation, Known>();

  readonly #partial = new Map<string, readonly string[]>();
  /** By table: what a part has found and no transaction has noted yet. */
  readonly #uneven = new Map<string, Uneven>();
  /** Tables whose statements PostgreSQL refuses, though their columns fit. */
  readonly #refused = new Map<string, TableDrift>();
  #looked = 0;

  constructor(options: LayoutsOptions) {
    this.#options = options;
    this.#tables = new Map(
      options.tables.map((table) => [`${table.schema}.${table.name}`, table] as const),
    );
  }

  /** Tables whose rows go in without some sent columns. */
  get partial(): ReadonlyMap<string, readonly string[]> {
    return this.#partial;
  }

  /** How many RELATIONs were looked up; grows when the provider describes a table again. */
  get looked(): number {
    return this.#looked;
  }

  /** Tables that were found not to be alike and are not noted as such; the caller notes them. */
  get uneven(): readonly Uneven[] {
    return [...this.#uneven.values()];
  }

  /** They are noted. */
  noted(): void {
    this.#uneven.clear();
  }

  /** Looks up what the transactions need; afterwards `of` answers for each of their relations. */
  async prepare(transactions: readonly Transaction[]): Promise<void> {
    let last: Relation | null = null;
    for (const transaction of transactions) {
      for (const step of transaction.changes) {
        if (step.kind === 'message') {
          continue;
        }
        const relations = step.kind === 'truncate' ? step.relations : [step.relation];
        for (const relation of relations) {
          if (relation !== last) {
            await this.look(relation);
            last = relation;
          }
        }
      }
    }
  }

  /** Null: the relation is not of the replication set, or its rows are impossible here. */
  of(relation: Relation): Layout | null {
    const known = this.#known.get(relation);
    return !known || this.#refused.has(tableText(relation)) ? null : known.layout;
  }

  /** Why rows of a relation of the set are impossible here; null: they are not. */
  driftOf(relation: Relation): TableDrift | null {
    return this.#known.get(relation)?.drift ?? this.#refused.get(tableText(relation)) ?? null;
  }

  /** PostgreSQL refuses the statements of the table: its changes are left out until its definition is looked up again. */
  refuse(table: TableName, drift: TableDrift): void {
    this.#refused.set(tableText(table), drift);
    this.#uneven.set(tableText(table), { table, drift, setAside: [] });
  }

  /** The local catalogue may have changed: everything is looked up again. */
  forget(): void {
    this.#known = new WeakMap();
    this.#refused.clear();
  }

  /** Afterwards `of` answers for the relation. */
  async look(relation: Relation): Promise<void> {
    const name = `${relation.schema}.${relation.name}`;
    const table = this.#tables.get(name);
    const known = this.#known.get(relation);
    if (!table) {
      return;
    }
    if (known && known.until > performance.now()) {
      const left = this.driftOf(relation);
      if (left) {
        const { schema } = relation;
        this.#uneven.set(name, {
          table: { schema, name: relation.name },
          drift: left,
          setAside: [],
        });
      }
      return;
    }
    this.#looked += 1;
    const found = await this.#load(relation, table);
    const drift = isDrift(found) ? await this.#told(relation, found) : null;
    const layout = isDrift(found) ? null : found;
    const setAside = layout?.setAside ?? [];
    if (drift || setAside.length > 0) {
      const { schema } = relation;
      this.#uneven.set(name, { table: { schema, name: relation.name }, drift, setAside });
    }
    const passing = drift || setAside.length > 0;
    const until = passing ? performance.now() + partialMs : Infinity;
    this.#known.set(relation, { layout, drift, until });
    this.#note(
      name,
      setAside.map((column) => column.name),
    );
  }

  /** With the name of the type the column has at the provider, where that is the same here. */
  async #told(relation: Relation, { reason, column }: Drift): Promise<TableDrift> {
    const sent = relation.columns.find(({ name }) => name === column);
    const { rows } = await this.#options.query(
      `select case when $1::oid between 1 and 16383 then format_type($1::oid, $2::int4) end as type`,
      [sent?.typeOid ?? 0, sent?.typeModifier ?? -1],
    );
    const [row] = rows as { type: string | null }[];
    return { cause: reason, column, type: row?.type ?? null, sqlstate: null };
  }

  async #load(relation: Relation, table: ReplicatedTable): Promise<Layout | Drift> {
    const { query, scope } = this.#options;
    const target = await loadTarget(query, table);
    if (!target) {
      return { reason: 'no_table', column: null };
    }
    return layoutOf({
      relation,
      target,
      provider: scope.provider,
      providerIsLeaf: scope.providerIsLeaf,
      originColumn: table.origin,
      filterColumns: table.approved?.columns ?? [],
      flags: flagsOf(table),
    });
  }

  #note(table: string, setAside: readonly string[]): void {
    if (setAside.length === 0) {
      this.#partial.delete(table);
    } else if (!this.#partial.has(table)) {
      this.#partial.set(table, setAside);
      this.#options.log.warn(
        { table, columns: setAside.join(', ') },
        'columns that do not exist here are set aside',
      );
    }
  }
}
