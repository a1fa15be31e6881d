/** What the publication, as prepare last made it, says of one table. Pure. */
import type { Facts } from './catalogue.ts';

export interface PublishedBefore {
  /** null: every column. */
  readonly columns: readonly string[] | null;
  /** null: there is a filter, but which columns it reads is not known. */
  readonly filterColumns: readonly string[] | null;
}

/** What is stored as `wanted` of the publication. */
export interface WantedPublication {
  readonly create: string;
  readonly filterColumns: Readonly<Record<string, readonly string[]>>;
}

export const publicationKey = 'publication tributary_up';

/** null: the table is not published now. */
export function publishedBefore(
  facts: Facts,
  table: { readonly schema: string; readonly name: string },
): PublishedBefore | null {
  const published = facts.publication?.tables.find(
    (candidate) => candidate.schema === table.schema && candidate.name === table.name,
  );
  if (published === undefined) {
    return null;
  }
  const row = facts.prepared.get(publicationKey);
  const unchanged = row !== undefined && row.found === facts.publication?.definition;
  const wanted = unchanged ? (JSON.parse(row.wanted) as WantedPublication) : null;
  return {
    columns: published.columns,
    filterColumns:
      published.filter === null
        ? []
        : (wanted?.filterColumns[`${table.schema}.${table.name}`] ?? null),
  };
}
