/**
 * What the parent may read besides the stream: one view per published table, with filter and columns applied. A
 * security barrier, so that no function of the reader sees a row before the filter does. Pure.
 */
import { ident, qualified } from '../database/ident.ts';
import type { Facts } from './catalogue.ts';
import type { Decision } from './decide.ts';
import { builtIn, type Intent } from './intent.ts';
import { keep, type Planned } from './planned.ts';
import { remember, stands } from './prepared.ts';
import { type Statement, statement } from './statement.ts';

export const viewSchema = 'tributary_up';

interface WantedView {
  readonly name: string;
  readonly select: string;
}

export function planViews(intent: Intent, decision: Decision, facts: Facts): Planned {
  const views = wantedViews(decision);
  const statements: Statement[] = [];
  const reader = ident(intent.node.roles.reader);
  if (!facts.schemas.has(viewSchema)) {
    statements.push(
      statement('owner', 'none', {
        why: 'holds the views for the parent',
        object: `schema ${viewSchema}`,
        commands: [`create schema if not exists ${viewSchema}`],
      }),
    );
  }
  if (!facts.privileges.get(`reader schema ${viewSchema}`)?.has('usage')) {
    statements.push(
      statement('owner', 'none', {
        why: 'the parent reads the views, nothing else',
        object: `usage on schema ${viewSchema}`,
        commands: [`grant usage on schema ${viewSchema} to ${reader}`],
      }),
    );
  }
  for (const view of views) {
    statements.push(...viewStatement(view, reader, facts));
  }
  return { statements, keeps: views.map((view) => keep('view', view.name)) };
}

function wantedViews(decision: Decision): readonly WantedView[] {
  return [
    ...builtIn.map((table) => ({
      name: `${table.schema}.${table.name}`,
      select: selectFrom(table, table.columns, null),
    })),
    ...decision.tables.map((table) => ({
      name: `${table.schema}.${table.name}`,
      select: selectFrom(table, table.leaving, table.filter?.sql ?? null),
    })),
  ];
}

function selectFrom(
  table: { readonly schema: string; readonly name: string },
  columns: readonly string[],
  filter: string | null,
): string {
  const where = filter === null ? '' : ` where ${filter}`;
  return `select ${columns.map(ident).join(', ')} from ${qualified(table)}${where}`;
}

function viewStatement(view: WantedView, reader: string, facts: Facts): readonly Statement[] {
  const path = qualified({ schema: viewSchema, name: view.name });
  const wanted = { kind: 'view', object: view.name, wanted: view.select } as const;
  const standing = stands(facts, { ...wanted, current: facts.views.get(view.name) ?? null });
  const readable = facts.privileges.get(`reader table ${viewSchema}.${view.name}`)?.has('select');
  if (standing && readable) {
    return [];
  }
  const drop = `drop view if exists ${path}`;
  const commands = [
    drop,
    `create view ${path} with (security_barrier) as ${view.select}`,
    `grant select on ${path} to ${reader}`,
    remember({ ...wanted, found: viewFound(view.name), undo: drop }),
  ];
  const why = 'approved rows and the columns that leave, for the first look and for comparing';
  return [statement('owner', 'none', { why, commands, object: `view ${viewSchema}.${view.name}` })];
}

/** SQL expression of Facts.views. */
function viewFound(name: string): string {
  const path = qualified({ schema: viewSchema, name });
  return `
  select pg_get_viewdef(c.oid) || coalesce(array_to_string(c.reloptions, ','), '')
  from pg_class c
  where c.oid = '${path.replaceAll("'", "''")}'::regclass`;
}
