/**
 * A slice cut into segments: within one, the tables' changes may be reordered against each other; TRUNCATE and a table
 * that changes its shape are barriers. Rows of origins that come by another way are counted and left out here.
 */
import type { StreamScope } from '../config/model.ts';
import { TributaryError } from '../errors.ts';
import type { Change } from '../pgoutput/change.ts';
import type { Relation, Truncate } from '../pgoutput/messages.ts';
import type { Step, Transaction } from '../pgoutput/part.ts';
import { admission } from './admission.ts';
import type { Layout } from './layout.ts';
import type { Tally } from './tally.ts';

export type Segment =
  | { readonly kind: 'tables'; readonly tables: readonly TableChanges[] }
  | { readonly kind: 'truncate'; readonly layouts: readonly Layout[] };

export interface TableChanges {
  readonly layout: Layout;
  readonly changes: readonly Change[];
}

export interface SegmentOptions {
  readonly scope: StreamScope;
  /** Null: not of the replication set. */
  readonly layoutOf: (relation: Relation) => Layout | null;
  readonly tally: Tally;
}

/** @throws TributaryError origin_violation | drifted */
export function segments(
  transactions: readonly Transaction[],
  options: SegmentOptions,
): readonly Segment[] {
  const cutter = new Cutter(options);
  for (const transaction of transactions) {
    for (const step of transaction.changes) {
      cutter.add(step);
    }
  }
  return cutter.end();
}

interface Group {
  relation: Relation;
  readonly layout: Layout;
  readonly changes: Change[];
}

class Cutter {
  readonly #options: SegmentOptions;
  readonly #done: Segment[] = [];
  #groups = new Map<string, Group>();
  /** The group of the change before: changes come in runs of one table. */
  #last: Group | null = null;

  constructor(options: SegmentOptions) {
    this.#options = options;
  }

  add(step: Step): void {
    if (step.kind === 'message') {
      return;
    }
    if (step.kind === 'truncate') {
      this.#truncate(step);
      return;
    }
    const group = step.relation === this.#last?.relation ? this.#last : this.#groupOf(step);
    if (!group) {
      return;
    }
    this.#last = group;
    this.#options.tally.row(group.layout.table, step.kind);
    if (admit(step, group.layout, this.#options.scope) === 'own') {
      group.changes.push(step);
    } else {
      this.#options.tally.conflict('rerouted', group.layout.table);
    }
  }

  end(): readonly Segment[] {
    this.#cut();
    return this.#done;
  }

  #groupOf({ relation }: Change): Group | null {
    const layout = this.#options.layoutOf(relation);
    if (!layout) {
      this.#options.tally.conflict('outside_set', `${relation.schema}.${relation.name}`);
      return null;
    }
    const group = this.#groups.get(layout.table);
    if (group && sameShape(group.relation, relation)) {
      group.relation = relation;
      return group;
    }
    if (group) {
      this.#cut();
    }
    const made: Group = { relation, layout, changes: [] };
    this.#groups.set(layout.table, made);
    return made;
  }

  #truncate(step: Truncate): void {
    this.#cut();
    const layouts = step.relations.flatMap((relation) => {
      const layout = this.#options.layoutOf(relation);
      return layout ? [layout] : [];
    });
    for (const layout of layouts) {
      this.#options.tally.row(layout.table, 'truncate');
    }
    if (layouts.length > 0) {
      this.#done.push({ kind: 'truncate', layouts });
    }
  }

  #cut(): void {
    const tables = [...this.#groups.values()].filter((group) => group.changes.length > 0);
    if (tables.length > 0) {
      this.#done.push({ kind: 'tables', tables });
    }
    this.#groups = new Map();
    this.#last = null;
  }
}

/** Deletes carry no origin: the row that stands here is asked instead. */
function admit(change: Change, layout: Layout, scope: StreamScope): 'own' | 'rerouted' {
  const { origin } = layout;
  if (origin.kind === 'stamped' || !change.new || change.new.kind(origin.index) === 'unchanged') {
    return 'own';
  }
  const bytes = change.new.value(origin.index);
  const name = bytes?.toString('utf8') ?? null;
  // A character(n) column pads its text with spaces.
  const padded = origin.column.baseTypeOid === 1042;
  const verdict = admission(scope, padded && name !== null ? name.trimEnd() : name);
  if (verdict === 'violation') {
    throw new TributaryError('origin_violation', { table: layout.table, provider: scope.provider });
  }
  return verdict;
}

function sameShape(a: Relation, b: Relation): boolean {
  return (
    a === b ||
    (a.columns.length === b.columns.length &&
      a.columns.every((column, index) => {
        const other = b.columns[index];
        return (
          other?.name === column.name &&
          other.typeOid === column.typeOid &&
          other.identity === column.identity
        );
      }))
  );
}
