/**
 * Which replica identity a published table gets. The identity must hold the filter's columns, or the application's own
 * UPDATE and DELETE fail as soon as the publication exists. Pure.
 */
import { ident, qualified } from '../database/ident.ts';
import type { ColumnFacts, TableFacts } from './catalogue-tables.ts';
import type { DecidedKey } from './decide-key.ts';
import { error, type Finding } from './finding.ts';
import type { IntendedTable } from './intent.ts';

export type WantedIdentity =
  /** The primary key is the key and the filter reads nothing else. */
  | { readonly kind: 'default' }
  | { readonly kind: 'index'; readonly columns: readonly string[] }
  | { readonly kind: 'full' };

/** First OID of a user's own objects (PostgreSQL, FirstNormalObjectId). */
const firstUserOid = 16_384;

export function decideIdentity(
  one: IntendedTable,
  facts: TableFacts,
  key: DecidedKey,
): WantedIdentity | Finding {
  const filterColumns = one.table.approved?.columns ?? [];
  const columns: ColumnFacts[] = [];
  for (const name of filterColumns) {
    const column = facts.columns.find((candidate) => candidate.name === name);
    const refused = column === undefined ? missing(facts, name) : refusedInFilter(facts, column);
    if (refused !== null) {
      return refused;
    }
    if (column !== undefined) {
      columns.push(column);
    }
  }
  const nullable = columns.find((column) => !column.notNull);
  if (one.table.identity === 'full' || nullable !== undefined) {
    return full(one, facts, nullable);
  }
  const incomparable = columns.find((column) => !column.comparable);
  if (incomparable !== undefined) {
    return error('filter_column_not_comparable', nameOf(facts), {
      problem: `the filter column ${incomparable.name} of type ${incomparable.type} can not stand in an index`,
      advice: 'Filter on a boolean or short text column, or set `identity: full`.',
    });
  }
  const all = [...new Set([...key.columns, ...filterColumns])];
  return all.length === key.columns.length && key.index.primary
    ? { kind: 'default' }
    : { kind: 'index', columns: all };
}

function full(
  one: IntendedTable,
  facts: TableFacts,
  nullable: ColumnFacts | undefined,
): WantedIdentity | Finding {
  const because =
    nullable === undefined
      ? '`identity: full`'
      : `the filter column ${nullable.name} may be null, which needs identity full, and that`;
  const cure =
    nullable === undefined
      ? 'Set `identity: index`.'
      : `Fill it, then: alter table ${qualified(facts)} alter column ${ident(nullable.name)} set not null; and run prepare again.`;
  if (one.leaving !== null) {
    return error(
      nullable === undefined ? 'identity_full_with_columns' : 'filter_column_nullable',
      nameOf(facts),
      {
        problem: `${because} does not go together with \`columns\`: the application's own UPDATE would fail`,
        advice: cure,
      },
    );
  }
  const generated = facts.columns.find((column) => column.generated !== '');
  if (generated !== undefined) {
    return error('identity_full_with_generated', nameOf(facts), {
      problem: `${because} does not go together with the generated column ${generated.name}: on PostgreSQL 18 the application's own UPDATE would fail`,
      advice: cure,
    });
  }
  return { kind: 'full' };
}

function missing(facts: TableFacts, column: string): Finding {
  return error('filter_column_missing', nameOf(facts), {
    problem: `the filter column ${column} does not exist`,
    advice: 'Correct `approved:` in the topology, or add the column.',
  });
}

function refusedInFilter(facts: TableFacts, column: ColumnFacts): Finding | null {
  if (column.generated !== '') {
    return error('filter_column_generated', nameOf(facts), {
      problem: `the filter column ${column.name} is generated`,
      advice: 'Filter on the columns it is computed from.',
    });
  }
  if (column.typeKind === 'e') {
    return error('filter_column_enum', nameOf(facts), {
      problem: `the filter column ${column.name} is an enum, which PostgreSQL refuses in a row filter`,
      advice: `Add a boolean that follows it: alter table ${qualified(facts)} add column approved boolean not null default false; and filter on \`approved\`.`,
    });
  }
  if (column.typeOid >= firstUserOid) {
    return error('filter_column_user_type', nameOf(facts), {
      problem: `the filter column ${column.name} is of the type ${column.type}, which is not built in; PostgreSQL refuses it in a row filter`,
      advice: 'Filter on a boolean or a column of a built-in type.',
    });
  }
  return null;
}

function nameOf(facts: TableFacts): string {
  return `${facts.schema}.${facts.name}`;
}
