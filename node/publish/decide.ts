/** From what is wanted of each table and what it is now to what shall stand there, or why that can not be. Pure. */
import { ident, qualified } from '../database/ident.ts';
import type { Facts } from './catalogue.ts';
import type { ColumnFacts, TableFacts } from './catalogue-tables.ts';
import { decideIdentity, type WantedIdentity } from './decide-identity.ts';
import { decideKey, type DecidedKey, isFinding } from './decide-key.ts';
import { error, type Finding, warning } from './finding.ts';
import { addedOriginColumn, type IntendedTable, type Intent } from './intent.ts';

export interface DecidedTable {
  readonly schema: string;
  readonly name: string;
  readonly facts: TableFacts;
  readonly key: readonly string[];
  /** The unique index behind the key. */
  readonly keyIndex: string;
  readonly origin: string | null;
  /** The origin column is Tributary's own. */
  readonly addOrigin: boolean;
  readonly filter: IntendedTable['table']['approved'];
  /** The publication's column list, in the table's order; null: every column. */
  readonly columns: readonly string[] | null;
  readonly identity: WantedIdentity;
  /** Columns that the carry trigger rewrites; empty: no trigger. */
  readonly carry: readonly ColumnFacts[];
}

export interface Decision {
  readonly tables: readonly DecidedTable[];
  /** Those of severity error stand in the way of prepare. */
  readonly findings: readonly Finding[];
}

export function decide(intent: Intent, facts: Facts): Decision {
  const findings: Finding[] = [];
  const tables: DecidedTable[] = [];
  for (const one of intent.tables) {
    const decided = decideTable(one, facts, intent.parent !== null);
    if (isFinding(decided)) {
      findings.push(decided);
    } else {
      tables.push(decided);
      findings.push(...absentColumns(one, decided.facts));
    }
  }
  return { tables, findings };
}

function decideTable(one: IntendedTable, all: Facts, published: boolean): DecidedTable | Finding {
  const { schema, name } = one.table;
  const facts = all.tables.get(`${schema}.${name}`);
  if (facts === undefined) {
    return error('table_missing', `${schema}.${name}`, {
      problem: 'the table does not exist here',
      advice: 'Install the application first, or take the table out of the topology.',
    });
  }
  const refused = refusedTable(one, facts);
  if (refused !== null) {
    return refused;
  }
  const key = decideKey(one, facts);
  if (isFinding(key)) {
    return key;
  }
  const identity: WantedIdentity | Finding = published
    ? decideIdentity(one, facts, key)
    : { kind: 'default' };
  return isFinding(identity) ? identity : decided(one, facts, { key, identity });
}

function decided(
  one: IntendedTable,
  facts: TableFacts,
  found: { readonly key: DecidedKey; readonly identity: WantedIdentity },
): DecidedTable {
  const always = [
    ...found.key.columns,
    ...(one.table.approved?.columns ?? []),
    ...(one.origin === null ? [] : [one.origin]),
  ];
  const travelling = facts.columns
    .filter((column) => column.generated === '')
    .filter(
      (column) => one.leaving?.includes(column.name) !== false || always.includes(column.name),
    );
  const leaving = travelling.map((column) => column.name);
  const addOrigin = one.table.origin === null && one.origin !== null;
  if (addOrigin && !leaving.includes(addedOriginColumn)) {
    leaving.push(addedOriginColumn);
  }
  const carried = one.table.carry === 'trigger' && found.identity.kind === 'index';
  return {
    schema: facts.schema,
    name: facts.name,
    facts,
    key: found.key.columns,
    keyIndex: found.key.index.name,
    origin: one.origin,
    addOrigin,
    filter: one.table.approved,
    columns: one.leaving === null ? null : leaving,
    identity: found.identity,
    carry:
      carried && one.table.approved !== null
        ? travelling.filter((column) => column.outOfLine && column.name !== addedOriginColumn)
        : [],
  };
}

function refusedTable(one: IntendedTable, facts: TableFacts): Finding | null {
  const object = `${facts.schema}.${facts.name}`;
  if (facts.persistence !== 'p') {
    return error('table_not_logged', object, {
      problem: 'the table is unlogged or temporary: its rows are not in the log',
      advice: `alter table ${qualified(facts)} set logged;`,
    });
  }
  const foreign = facts.leaves.find((leaf) => leaf.kind === 'f');
  if (foreign !== undefined) {
    return error('partition_foreign', object, {
      problem: `its partition ${foreign.name} is a foreign table, whose rows are not in this server's log`,
      advice: 'Detach the partition, or take the table out of the topology.',
    });
  }
  const flag = missingFlag(one, facts);
  if (flag !== null) {
    return error('flag_missing', object, {
      problem: `the flag ${flag} is no boolean column of this table that may not be null`,
      advice: `alter table ${qualified(facts)} add column ${ident(flag)} boolean not null default ${flag === softOf(one) ? 'false' : 'true'};`,
    });
  }
  const origin = one.table.origin;
  const column = facts.columns.find((candidate) => candidate.name === origin);
  if (origin !== null && column === undefined) {
    return error('origin_column_missing', object, {
      problem: `the origin column ${origin} does not exist`,
      advice:
        'Correct `origin:` in the topology, or leave it out: a column is added above the leaves.',
    });
  }
  if (column !== undefined && !column.notNull) {
    return error('origin_column_nullable', object, {
      problem: `the origin column ${column.name} may be null`,
      advice: `alter table ${qualified(facts)} alter column ${ident(column.name)} set not null;`,
    });
  }
  return null;
}

/** Above the leaves the flags of soft deletes and of orphans must be there: each node keeps its own. */
function missingFlag(one: IntendedTable, { columns }: TableFacts): string | null {
  if (one.leaf) {
    return null;
  }
  const soft = softOf(one);
  const rules = [one.table.orphans, ...one.table.orphansByForeignKey.values()];
  const active = rules.flatMap((rule) => (rule.rule === 'deactivate' ? [rule.column] : []));
  const missing = [...(soft === null ? [] : [soft]), ...active].find((name) => {
    const column = columns.find((candidate) => candidate.name === name);
    return column?.type !== 'boolean' || !column.notNull;
  });
  return missing ?? null;
}

function softOf({ table }: IntendedTable): string | null {
  return table.deletes.rule === 'soft' ? table.deletes.column : null;
}

function absentColumns(one: IntendedTable, facts: TableFacts): readonly Finding[] {
  return (one.leaving ?? [])
    .filter((name) => name !== one.origin)
    .filter((name) => {
      const column = facts.columns.find((candidate) => candidate.name === name);
      return column === undefined || column.generated !== '';
    })
    .map((name) =>
      warning('column_missing', `${facts.schema}.${facts.name}`, {
        problem: `the column ${name} is listed but does not exist here, or is generated: it does not travel`,
        advice: 'Add the column here and run prepare again, or take it out of `columns`.',
      }),
    );
}
