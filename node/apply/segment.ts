/**
 * A slice cut into segments: within one, the tables' changes may be reordered against each other; TRUNCATE and a table
 * that changes its shape are barriers. Rows of origins that come by another way are counted and left out here, changes
 * of parked keys are left out, and rows of origins nobody knows are refused.
 */
import type { StreamScope } from '../config/model.ts';
import { because } from '../parking/parked-key.ts';
import type { Change } from '../pgoutput/change.ts';
import type { Relation, Truncate } from '../pgoutput/messages.ts';
import type { Step, Transaction } from '../pgoutput/part.ts';
import { type Admission, admission } from './admission.ts';
import { type Layout, originOfTuple } from './layout.ts';
import type { Refused, Taking } from './part-parking.ts';
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
  /** Null: not of the replication set, or left out. */
  readonly layoutOf: (relation: Relation) => Layout | null;
  /** Rows of the relation are impossible here, and its changes left out. */
  readonly isDrifted: (relation: Relation) => boolean;
  readonly tally: Tally;
  readonly taking: Taking;
  readonly refuse: (refused: Refused) => void;
}

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
    this.#admit(step, group);
  }

  #admit(step: Change, { layout, changes }: Group): void {
    const { tally, taking, scope, refuse } = this.#options;
    tally.row(layout.table, step.kind);
    const verdict = admit(step, layout, scope);
    if (verdict === 'rerouted') {
      tally.conflict('rerouted', layout.table);
      return;
    }
    if (!taking.quiet && !taking.takes(layout, step)) {
      return;
    }
    if (verdict === 'own') {
      changes.push(step);
    } else if (step.new) {
      tally.conflict('origin_violation', layout.table);
      refuse({ layout, tuple: step.new, cause: because('origin_violation'), waitsFor: null });
    }
  }

  end(): readonly Segment[] {
    this.#cut();
    return this.#done;
  }

  #groupOf({ relation }: Change): Group | null {
    const layout = this.#options.layoutOf(relation);
    if (!layout) {
      if (!this.#options.isDrifted(relation)) {
        this.#options.tally.conflict('outside_set', `${relation.schema}.${relation.name}`);
      }
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
function admit(change: Change, layout: Layout, scope: StreamScope): Admission {
  const { origin } = layout;
  if (origin.kind === 'stamped' || !change.new || change.new.kind(origin.index) === 'unchanged') {
    return 'own';
  }
  return admission(scope, originOfTuple(layout, change.new));
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
