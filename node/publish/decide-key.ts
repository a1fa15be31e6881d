/** Which columns are the key of a replicated table, and whether they can be. Pure. */
import { ident, qualified } from '../database/ident.ts';
import { error, type Finding } from './finding.ts';
import type { IndexFacts, TableFacts } from './catalogue-tables.ts';
import type { IntendedTable } from './intent.ts';

export interface DecidedKey {
  readonly columns: readonly string[];
  /** The unique index that proves it. */
  readonly index: IndexFacts;
}

export function decideKey(one: IntendedTable, facts: TableFacts): DecidedKey | Finding {
  return one.table.key === null ? primaryKey(facts) : namedKey(one.table.key, facts);
}

export function isFinding(value: object): value is Finding {
  return 'severity' in value;
}

function primaryKey(facts: TableFacts): DecidedKey | Finding {
  const object = `${facts.schema}.${facts.name}`;
  const primary = facts.indexes.find((index) => index.primary);
  const column = facts.columns.find((candidate) => candidate.name === primary?.columns[0]);
  if (primary === undefined || column === undefined) {
    return error('table_without_key', object, {
      problem: 'the table has no primary key',
      advice: `Add one: alter table ${qualified(facts)} add column id uuid primary key default gen_random_uuid(); or name unique columns by \`key:\` in the topology.`,
    });
  }
  if (primary.columns.length !== 1 || column.type !== 'uuid') {
    return error('key_not_uuid', object, {
      problem: `the primary key (${primary.columns.join(', ')}) is not one uuid column: two nodes may give the same key to different rows`,
      advice: `If its values are unique in the whole country, say so: \`key: [${primary.columns.join(', ')}]\` in the topology; else give the table a uuid key.`,
    });
  }
  if (!isKey(primary)) {
    return error('key_not_unique', object, {
      problem:
        'the primary key is deferrable: it can not be a replica identity, and is not enforced for rows that arrive',
      advice: `alter table ${qualified(facts)} add constraint ${ident(`${facts.name}_key`)} unique (${ident(column.name)}); and \`key: [${column.name}]\` in the topology.`,
    });
  }
  return { columns: [column.name], index: primary };
}

function namedKey(key: readonly string[], facts: TableFacts): DecidedKey | Finding {
  const object = `${facts.schema}.${facts.name}`;
  for (const name of key) {
    const column = facts.columns.find((candidate) => candidate.name === name);
    if (column === undefined) {
      return error('key_column_missing', object, {
        problem: `the key column ${name} does not exist`,
        advice: 'Correct `key:` in the topology, or add the column.',
      });
    }
    if (!column.notNull) {
      return error('key_column_nullable', object, {
        problem: `the key column ${name} may be null`,
        advice: `alter table ${qualified(facts)} alter column ${ident(name)} set not null;`,
      });
    }
  }
  const index = facts.indexes.find((candidate) => isKey(candidate) && sameColumns(candidate, key));
  if (index === undefined) {
    return error('key_not_unique', object, {
      problem: `no unique index over exactly (${key.join(', ')}) proves the key`,
      advice: `create unique index concurrently on ${qualified(facts)} (${key.map(ident).join(', ')});`,
    });
  }
  return { columns: key, index };
}

/** Whether an index may serve as key and as replica identity. */
export function isKey(index: IndexFacts): boolean {
  return (
    index.unique &&
    index.immediate &&
    index.valid &&
    !index.partial &&
    !index.columns.includes(null)
  );
}

export function sameColumns(index: IndexFacts, columns: readonly string[]): boolean {
  return (
    index.columns.length === columns.length &&
    columns.every((column) => index.columns.includes(column))
  );
}
