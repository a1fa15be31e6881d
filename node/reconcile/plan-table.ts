/** The plan of a table from what the provider publishes and the catalogue here. */
import { isDrift, layoutOf } from '../apply/layout.ts';
import { flagsOf } from '../apply/layouts.ts';
import { loadTarget } from '../apply/target.ts';
import type { ReplicatedTable, StreamScope } from '../config/model.ts';
import { type BaseType, baseTypeSql } from '../database/base-type.ts';
import type { Query } from '../database/query.ts';
import type { TableName } from '../parking/parked-key.ts';
import { driftError } from '../parking/table-drift.ts';
import type { ProviderTable } from '../provider/provider.ts';
import { planOf, publishedRelation, type TablePlan } from './table-plan.ts';

export interface PlanSources {
  readonly published: readonly ProviderTable[];
  /** The replication set. */
  readonly tables: readonly ReplicatedTable[];
  readonly scope: StreamScope;
  /** This node's own database. */
  readonly query: Query;
}

/** @throws TributaryError drifted, when rows of the table are impossible here. */
export async function planTable(
  { schema, name }: TableName,
  { published, tables, scope, query }: PlanSources,
): Promise<TablePlan> {
  const same = (each: TableName): boolean => each.schema === schema && each.name === name;
  const table = tables.find(same);
  const sent = published.find(same);
  const target = table ? await loadTarget(query, table) : null;
  if (!table || !sent || !target) {
    const none = { cause: 'no_table', column: null, type: null, sqlstate: null } as const;
    throw driftError({ schema, name }, none);
  }
  const layout = layoutOf({
    relation: publishedRelation(sent, target.key),
    target,
    provider: scope.provider,
    providerIsLeaf: scope.providerIsLeaf,
    originColumn: table.origin,
    filterColumns: table.approved?.columns ?? [],
    flags: flagsOf(table),
  });
  if (isDrift(layout)) {
    const { reason, column } = layout;
    const type = sent.columns.find((each) => each.name === column)?.type ?? null;
    throw driftError({ schema, name }, { cause: reason, column, type, sqlstate: null });
  }
  return planOf(layout, sent, await baseTypes(query, table));
}

async function baseTypes(
  query: Query,
  { schema, name }: TableName,
): Promise<ReadonlyMap<string, BaseType>> {
  const { rows } = await query(
    `select a.attname::text as name, ${baseTypeSql} as base
     from pg_catalog.pg_class c
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where n.nspname = $1 and c.relname = $2`,
    [schema, name],
  );
  return new Map((rows as { name: string; base: BaseType }[]).map((row) => [row.name, row.base]));
}
