/** From what the topology wants and what stands in the database to the ordered statements between. Pure. */
import { ident, literal } from '../database/ident.ts';
import { commandsOf, type Migration } from '../database/migrate.ts';
import { TributaryError } from '../errors.ts';
import type { Facts } from './catalogue.ts';
import { decide, type Decision } from './decide.ts';
import { error, type Finding } from './finding.ts';
import type { Intent } from './intent.ts';
import { planCarry } from './plan-carry.ts';
import { planGrants } from './plan-grants.ts';
import { planIdentity } from './plan-identity.ts';
import { planOrigin } from './plan-origin.ts';
import { planPublication } from './plan-publication.ts';
import { planSuperuser } from './plan-superuser.ts';
import { keep, type Planned } from './planned.ts';
import { forget, type Kind, kinds } from './prepared.ts';
import { alone, type Statement, statement } from './statement.ts';

export interface Plan {
  readonly superuser: readonly Statement[];
  readonly owner: readonly Statement[];
  /** Errors among them stand in the way; nothing may be run then. */
  readonly findings: readonly Finding[];
  readonly decision: Decision;
}

/** @throws TributaryError node_name_differs, when the database belongs to another node. */
export function planPrepare(intent: Intent, facts: Facts, migrations: readonly Migration[]): Plan {
  if (facts.node !== null && facts.node.name !== intent.node.name) {
    throw new TributaryError('node_name_differs', {
      node: intent.node.name,
      found: facts.node.name,
      database: facts.server.database,
    });
  }
  const decision = decide(intent, facts);
  const publishing = intent.parent !== null;
  const identity = publishing
    ? planIdentity(decision, facts)
    : { before: [], together: [], keeps: [] };
  const nothing: Planned = { statements: [], keeps: [] };
  const steps: readonly Planned[] = [
    { statements: schemaStatements(intent, facts, migrations), keeps: [] },
    planGrants(intent, decision, facts),
    planOrigin(intent, decision, facts),
    { statements: identity.before, keeps: identity.keeps },
    publishing ? planCarry(decision, facts) : nothing,
    publishing ? planPublication(decision, facts, identity.together) : nothing,
  ];
  const keeps = new Set(steps.flatMap((step) => step.keeps));
  const owner = [...steps.flatMap((step) => step.statements), ...planStale(facts, keeps)];
  return {
    superuser: planSuperuser(intent, facts),
    owner,
    findings: [...decision.findings, ...(owner.length > 0 ? ownership(decision, facts) : [])],
    decision,
  };
}

function schemaStatements(
  intent: Intent,
  facts: Facts,
  migrations: readonly Migration[],
): readonly Statement[] {
  const missing = migrations.filter(
    (migration) => !facts.migrations.some((applied) => applied.number === migration.number),
  );
  const statements = missing.map((migration) =>
    statement('owner', 'none', {
      why: `Tributary's own schema, version ${migration.number}`,
      commands: commandsOf(migration),
    }),
  );
  if (facts.node === null) {
    statements.push(
      statement('owner', 'none', {
        why: 'this database belongs to this node from now on',
        commands: [`insert into tributary.node (name) values (${literal(intent.node.name)})`],
      }),
    );
  }
  return statements;
}

/** What was made before and is not wanted any more, in the order in which it can be taken away. */
export function planStale(facts: Facts, keeps: ReadonlySet<string>): readonly Statement[] {
  const stale = [...facts.prepared.values()]
    .filter(
      (row) => !keeps.has(keep(row.kind as Kind, row.kind === 'grant' ? row.wanted : row.object)),
    )
    .filter((row) => row.kind !== 'column');
  return kinds.flatMap((kind) =>
    stale
      .filter((row) => row.kind === kind)
      .flatMap((row) => takeAway(row.kind, row.object, row.undo)),
  );
}

export function takeAway(kind: string, object: string, undo: string | null): readonly Statement[] {
  const why = `not wanted any more: ${kind} ${object}`;
  if (undo?.includes('concurrently')) {
    return [
      alone('owner', 'none', { why, command: undo }),
      statement('owner', 'none', { why, commands: [forget(kind, object)] }),
    ];
  }
  const commands = [...(undo === null ? [] : [tolerant(undo)]), forget(kind, object)];
  const cost = kind === 'grant' || kind === 'publication' ? 'none' : 'lock';
  return [statement('owner', cost, { why, commands })];
}

/** The table or index it was for may be gone by now. */
function tolerant(undo: string): string {
  return `do $undo$ begin ${undo}; exception when undefined_table or undefined_object then null; end $undo$`;
}

/** Publications, triggers and columns are the business of the tables' owner. */
function ownership(decision: Decision, facts: Facts): readonly Finding[] {
  const { user, database } = facts.server;
  const findings = decision.tables
    .flatMap((table) => [table.facts, ...table.facts.leaves])
    .filter(
      (relation, i, all) =>
        !relation.mine && all.findIndex((one) => one.oid === relation.oid) === i,
    )
    .map((relation) =>
      error('not_owner', `${relation.schema}.${relation.name}`, {
        problem: `${user} does not own the table; ${relation.owner} does`,
        advice: `Run prepare as ${relation.owner}, or: grant ${ident(relation.owner)} to ${ident(user)};`,
      }),
    );
  const schema = facts.schemas.get('tributary');
  if (schema?.mine === false) {
    findings.push(
      error('not_owner', 'schema tributary', {
        problem: `${user} does not own it; ${schema.owner} prepared this database`,
        advice: `Run prepare as ${schema.owner}, or: grant ${ident(schema.owner)} to ${ident(user)};`,
      }),
    );
  }
  if (!facts.server.mayCreate) {
    findings.push(
      error('may_not_create', database, {
        problem: `${user} may not create a schema or publication in this database`,
        advice: `As its owner: grant create on database ${ident(database)} to ${ident(user)};`,
      }),
    );
  }
  if (facts.publication !== null && (!facts.publication.mine || facts.publication.allTables)) {
    findings.push(
      error('publication_foreign', 'tributary_up', {
        problem: 'a publication of this name was made by somebody else, or for all tables',
        advice: 'drop publication tributary_up; (its subscribers start anew), then run prepare.',
      }),
    );
  }
  return findings;
}
