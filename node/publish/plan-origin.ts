/**
 * Above the leaves: the column that names where a row was entered, and the guard that refuses local changes of rows
 * entered elsewhere. Ordinary triggers: apply works as replica and passes. Pure.
 */
import { ident, literal, qualified } from '../database/ident.ts';
import type { Facts } from './catalogue.ts';
import type { LeafFacts } from './catalogue-tables.ts';
import { triggerFound } from './catalogue-tables.ts';
import type { DecidedTable, Decision } from './decide.ts';
import { addedOriginColumn, type Intent } from './intent.ts';
import { join, keep, type Planned } from './planned.ts';
import { remember, stands } from './prepared.ts';
import { statement } from './statement.ts';

export function planOrigin(intent: Intent, decision: Decision, facts: Facts): Planned {
  if (intent.leaf) {
    return { statements: [], keeps: [] };
  }
  return join(
    decision.tables.flatMap((table) => [
      originColumn(intent, table),
      ...guards(intent, table).map((guard) => planGuard(guard, facts)),
    ]),
  );
}

function originColumn(intent: Intent, table: DecidedTable): Planned {
  if (!table.addOrigin) {
    return { statements: [], keeps: [] };
  }
  const object = `${table.schema}.${table.name}`;
  const keeps = [keep('column', object)];
  const node = literal(intent.node.name);
  const column = table.facts.columns.find((candidate) => candidate.name === addedOriginColumn);
  if (column?.default === `${node}::text` && column.notNull) {
    return { statements: [], keeps };
  }
  const remembered = remember({
    kind: 'column',
    object,
    wanted: intent.node.name,
    undo: `alter table if exists ${qualified(table)} drop column if exists ${addedOriginColumn}`,
  });
  const commands =
    column === undefined
      ? [
          `alter table ${qualified(table)} add column ${addedOriginColumn} text not null default ${node}`,
          remembered,
        ]
      : [
          `alter table ${qualified(table)} alter column ${addedOriginColumn} set default ${node}`,
          remembered,
        ];
  const why = 'every row names the node it was entered at; a constant default rewrites nothing';
  return {
    statements: [
      statement('owner', 'lock', {
        why,
        commands,
        object: `column ${addedOriginColumn} of ${object}`,
      }),
    ],
    keeps,
  };
}

interface Guard {
  readonly relation: LeafFacts;
  readonly name: string;
  readonly create: string;
}

function guards(intent: Intent, table: DecidedTable): readonly Guard[] {
  const column = ident(table.origin ?? addedOriginColumn);
  const node = literal(intent.node.name);
  const args = `${node}, ${literal(table.origin ?? addedOriginColumn)}`;
  const on = qualified(table);
  const row = (name: string, event: string, when: string): Guard => ({
    relation: table.facts,
    name,
    create: `create trigger ${name} before ${event} on ${on} for each row when (${when}) execute function tributary.refuse_foreign_row(${args})`,
  });
  const relations = [
    table.facts,
    ...table.facts.leaves.filter((leaf) => leaf.oid !== table.facts.oid),
  ];
  return [
    row('tributary_guard_update', 'update', `old.${column} <> ${node} or new.${column} <> ${node}`),
    row('tributary_guard_delete', 'delete', `old.${column} <> ${node}`),
    ...relations.map((relation) => ({
      relation,
      name: 'tributary_guard_truncate',
      create: `create trigger tributary_guard_truncate before truncate on ${qualified(relation)} for each statement execute function tributary.refuse_foreign_truncate(${args})`,
    })),
  ];
}

function planGuard(guard: Guard, facts: Facts): Planned {
  const on = qualified(guard.relation);
  const object = `${guard.name} on ${guard.relation.schema}.${guard.relation.name}`;
  const keeps = [keep('trigger', object)];
  const trigger = guard.relation.triggers.find((candidate) => candidate.name === guard.name);
  const wanted = { kind: 'trigger', object, wanted: guard.create } as const;
  if (stands(facts, { ...wanted, current: trigger?.definition ?? null })) {
    return { statements: [], keeps };
  }
  const drop = `drop trigger if exists ${guard.name} on ${on}`;
  const commands = [
    ...(trigger === undefined ? [] : [drop]),
    guard.create,
    remember({ ...wanted, found: triggerFound(on, guard.name), undo: drop }),
  ];
  const why = 'rows of another node can not be changed or truncated here by mistake';
  return {
    statements: [statement('owner', 'lock', { why, commands, object: `trigger ${object}` })],
    keeps,
  };
}
