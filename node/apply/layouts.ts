/** The layouts of the relations of one stream, looked up in the local catalogue when a RELATION is first seen. */
import type { ReplicatedTable, StreamScope } from '../config/model.ts';
import type { Log } from '../log.ts';
import type { Relation } from '../pgoutput/messages.ts';
import type { Transaction } from '../pgoutput/part.ts';
import { TributaryError } from '../errors.ts';
import { type Drift, type Flags, isDrift, type Layout, layoutOf } from './layout.ts';
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
  readonly layout: Layout | Drift;
  readonly until: number;
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
            await this.#look(relation);
            last = relation;
          }
        }
      }
    }
  }

  /** Null: the relation is not of the replication set. @throws TributaryError drifted */
  of(relation: Relation): Layout | null {
    const known = this.#known.get(relation);
    if (!known) {
      return null;
    }
    if (isDrift(known.layout)) {
      throw new TributaryError('drifted', {
        table: `${relation.schema}.${relation.name}`,
        reason: known.layout.reason,
        column: known.layout.column,
      });
    }
    return known.layout;
  }

  /** The local catalogue may have changed: everything is looked up again. */
  forget(): void {
    this.#known = new WeakMap();
  }

  async #look(relation: Relation): Promise<void> {
    const name = `${relation.schema}.${relation.name}`;
    const table = this.#tables.get(name);
    const known = this.#known.get(relation);
    if (!table || (known && known.until > performance.now())) {
      return;
    }
    const layout = await this.#load(relation, table);
    const setAside = isDrift(layout) ? [] : layout.setAside;
    this.#known.set(relation, {
      layout,
      until: setAside.length > 0 || isDrift(layout) ? performance.now() + partialMs : Infinity,
    });
    this.#note(name, setAside);
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
