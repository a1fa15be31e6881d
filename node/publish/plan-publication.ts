/**
 * The publication. Made once, altered, never dropped while the node has a parent: a subscriber knows it by its oid and
 * by the nonce of its creation. Every change of it is announced in the stream by a message of the same transaction. Pure.
 */
import { ident, qualified } from '../database/ident.ts';
import type { Facts } from './catalogue.ts';
import { publicationDefinition } from './catalogue-publication.ts';
import type { DecidedTable, Decision } from './decide.ts';
import { builtIn } from './intent.ts';
import { keep, type Planned } from './planned.ts';
import type { WantedPublication } from './published-before.ts';
import { remember, stands } from './prepared.ts';
import { type Statement, statement } from './statement.ts';

export const publicationName = 'tributary_up';

const options = "publish = 'insert, update, delete, truncate', publish_via_partition_root = true";

/** `together`: switches of identity that must commit with the change. */
export function planPublication(
  decision: Decision,
  facts: Facts,
  together: readonly string[],
): Planned {
  const keeps = [keep('publication', publicationName)];
  const tables = [
    ...builtIn.map((table) => qualified(table)),
    ...decision.tables.map(publishedTable),
  ].join(', ');
  const wanted = wantedPublication(decision, tables);
  const current = facts.publication?.definition ?? null;
  const entry = { kind: 'publication', object: publicationName, wanted } as const;
  if (together.length === 0 && stands(facts, { ...entry, current })) {
    return { statements: [], keeps };
  }
  const commands = [
    ...together,
    ...(facts.publication === null ? creation(tables) : change(tables)),
    `select pg_catalog.pg_logical_emit_message(true, 'tributary', 'publication')`,
    remember({
      ...entry,
      found: publicationDefinition,
      undo: `drop publication if exists ${publicationName}`,
    }),
  ];
  return { statements: [publish(commands, together.length > 0)], keeps };
}

function publish(commands: readonly string[], switches: boolean): Statement {
  return statement('owner', switches ? 'lock' : 'none', {
    why: 'what leaves for the parent; writes go on while it changes',
    commands,
    object: `publication ${publicationName}`,
  });
}

function creation(tables: string): readonly string[] {
  return [
    `create publication ${publicationName} for table ${tables} with (${options})`,
    'update tributary.node set publication_nonce = gen_random_uuid()',
  ];
}

function change(tables: string): readonly string[] {
  return [
    `alter publication ${publicationName} set table ${tables}`,
    `alter publication ${publicationName} set (${options})`,
    'update tributary.node set publication_nonce = gen_random_uuid() where publication_nonce is null',
  ];
}

function publishedTable(table: DecidedTable): string {
  const columns = table.columns === null ? '' : ` (${table.columns.map(ident).join(', ')})`;
  const filter = table.filter === null ? '' : ` where (${table.filter.sql})`;
  return `${qualified(table)}${columns}${filter}`;
}

function wantedPublication(decision: Decision, tables: string): string {
  const wanted: WantedPublication = {
    create: `${tables} with (${options})`,
    filterColumns: Object.fromEntries(
      decision.tables.map((table) => [
        `${table.schema}.${table.name}`,
        table.filter?.columns ?? [],
      ]),
    ),
  };
  return JSON.stringify(wanted);
}
