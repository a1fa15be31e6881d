/**
 * Replica identity of every relation that holds published rows. The index first, then the switch, then the publication;
 * a switch that the publication as it stands does not bear commits together with the publication's change. Pure.
 */
import { createHash } from 'node:crypto';
import { ident, qualified } from '../database/ident.ts';
import type { Facts } from './catalogue.ts';
import type { IndexFacts, LeafFacts } from './catalogue-tables.ts';
import type { DecidedTable, Decision } from './decide.ts';
import { isKey, sameColumns } from './decide-key.ts';
import { keep } from './planned.ts';
import { publishedBefore } from './published-before.ts';
import { remember } from './prepared.ts';
import { alone, type Statement, statement } from './statement.ts';

export interface IdentityPlan {
  /** Indexes, and switches that hurt nobody. */
  readonly before: readonly Statement[];
  /** Commands of switches that must commit together with the publication. */
  readonly together: readonly string[];
  readonly keeps: readonly string[];
}

export const indexPrefix = 'tributary_identity_';

export function planIdentity(decision: Decision, facts: Facts): IdentityPlan {
  const before: Statement[] = [];
  const together: string[] = [];
  const keeps: string[] = [];
  for (const table of decision.tables) {
    for (const leaf of relationsOf(table)) {
      const object = `${leaf.schema}.${leaf.name}`;
      keeps.push(keep('identity', object));
      const index = indexFor(table, leaf);
      if (index !== null) {
        keeps.push(keep('index', `${leaf.schema}.${index}`));
      }
      if (identityFits(table, leaf)) {
        continue;
      }
      if (index !== null) {
        before.push(...buildIndex(table, leaf, index));
      }
      const commands = switchTo(table, leaf, index);
      if (isBorne(table, facts)) {
        before.push(statement('owner', 'lock', { why: whySwitch, commands }));
      } else {
        together.push(...commands);
      }
    }
  }
  return { before, together, keeps };
}

const whySwitch = 'PostgreSQL logs of the old row what finds it and tells whether it was approved';

/** A partitioned table itself needs a mark only for FULL: the stream then says so of its old rows. */
function relationsOf(table: DecidedTable): readonly LeafFacts[] {
  return table.facts.kind === 'p' && table.identity.kind === 'full'
    ? [table.facts, ...table.facts.leaves]
    : table.facts.leaves;
}

/** Whether the identity in force lets the application update and delete under the publication that is wanted. */
export function identityFits(table: DecidedTable, leaf: LeafFacts): boolean {
  switch (table.identity.kind) {
    case 'full':
      return leaf.identity === 'f';
    case 'default':
      return (
        (leaf.identity === 'd' && leaf.indexes.some((index) => index.primary)) ||
        covers(leaf, table.key)
      );
    case 'index':
      return covers(leaf, table.identity.columns);
    default:
      throw new Error(`no such identity: ${JSON.stringify(table.identity satisfies never)}`);
  }
}

function covers(leaf: LeafFacts, columns: readonly string[]): boolean {
  const index = leaf.indexes.find((candidate) => candidate.replicaIdentity);
  return (
    leaf.identity === 'i' && index !== undefined && isKey(index) && sameColumns(index, columns)
  );
}

/** Name of the index to be used; null: none is needed. */
export function indexFor(table: DecidedTable, leaf: LeafFacts): string | null {
  if (table.identity.kind !== 'index') {
    return null;
  }
  const { columns } = table.identity;
  const standing = leaf.indexes.find((index) => isKey(index) && sameColumns(index, columns));
  return standing?.name ?? indexName(leaf, columns);
}

function indexName(leaf: LeafFacts, columns: readonly string[]): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([leaf.name, columns]))
    .digest('hex')
    .slice(0, 8);
  const name = leaf.name.replaceAll(/[^a-z0-9_]/g, '').slice(0, 30);
  return `${indexPrefix}${name}_${hash}`;
}

function buildIndex(table: DecidedTable, leaf: LeafFacts, name: string): readonly Statement[] {
  const standing = leaf.indexes.find((index) => index.name === name);
  const path = qualified({ schema: leaf.schema, name });
  const columns = table.identity.kind === 'index' ? table.identity.columns : [];
  if (standing !== undefined && isKey(standing) && sameColumns(standing, columns)) {
    return [];
  }
  const drop = alone('owner', 'none', {
    why: 'an index whose building was cut off is of no use',
    command: `drop index concurrently if exists ${path}`,
  });
  const build = alone('owner', 'scan', {
    why: 'finds a row and holds the columns of the filter; built while the application writes',
    command: `create unique index concurrently ${ident(name)} on ${qualified(leaf)} (${columns.map(ident).join(', ')})`,
  });
  return standing === undefined ? [build] : [drop, build];
}

function switchTo(table: DecidedTable, leaf: LeafFacts, index: string | null): readonly string[] {
  const object = `${leaf.schema}.${leaf.name}`;
  const alter = `alter table ${qualified(leaf)} replica identity`;
  const wanted = index === null ? table.identity.kind : `using index ${ident(index)}`;
  const commands = [
    `${alter} ${wanted}`,
    remember({ kind: 'identity', object, wanted, undo: `${alter} ${before(leaf)}` }),
  ];
  if (index?.startsWith(indexPrefix)) {
    const path = qualified({ schema: leaf.schema, name: index });
    commands.push(
      remember({
        kind: 'index',
        object: `${leaf.schema}.${index}`,
        wanted,
        undo: `drop index concurrently if exists ${path}`,
      }),
    );
  }
  return commands;
}

function before(leaf: LeafFacts): string {
  const index: IndexFacts | undefined = leaf.indexes.find((one) => one.replicaIdentity);
  switch (leaf.identity) {
    case 'f':
      return 'full';
    case 'n':
      return 'nothing';
    case 'i':
      return index === undefined ? 'nothing' : `using index ${ident(index.name)}`;
    case 'd':
      return 'default';
    default:
      throw new Error(`no such identity: ${JSON.stringify(leaf.identity satisfies never)}`);
  }
}

/** Whether the publication as it stands bears the new identity. */
function isBorne(table: DecidedTable, facts: Facts): boolean {
  const old = publishedBefore(facts, table);
  if (old === null) {
    return true;
  }
  if (table.identity.kind === 'full') {
    return old.columns === null;
  }
  const identity = table.identity.kind === 'index' ? table.identity.columns : table.key;
  return (
    old.filterColumns !== null &&
    old.filterColumns.every((column) => identity.includes(column)) &&
    (old.columns === null || identity.every((column) => old.columns?.includes(column)))
  );
}
