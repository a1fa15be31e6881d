/** What the two plain roles may do: the writer what apply needs, the reader almost nothing; whose rights ours use. Pure. */
import { ident, qualified } from '../database/ident.ts';
import type { Facts } from './catalogue.ts';
import type { Decision } from './decide.ts';
import type { Intent } from './intent.ts';
import { keep, type Planned } from './planned.ts';
import { remember } from './prepared.ts';
import { type Statement, statement } from './statement.ts';

interface Grant {
  readonly role: 'reader' | 'writer';
  readonly kind: 'schema' | 'table' | 'sequence' | 'function';
  /** Name as in Privileges. */
  readonly object: string;
  /** Quoted. */
  readonly sql: string;
  readonly privileges: readonly string[];
}

const readOnly = ['migration', 'prepared', 'freshness', 'node'];
/** Tells the parent whether this node is level with its own children; reads our own tables only. */
const levelness: Grant = {
  role: 'reader',
  kind: 'function',
  object: 'tributary.level_since',
  sql: 'tributary.level_since(pg_lsn)',
  privileges: ['execute'],
};

/** Functions that look at the application's tables with the rights of their owner. */
const readingFunctions = [
  'tables_with_rows()',
  'published_estimate(text, text)',
  'published_blocks(text, text, text[], text[], jsonb, bigint, bigint)',
  'published_digest(text, text, text[], text[], text[], text[])',
  'published_key_after(text, text, text[], text[], bigint)',
  'published_hashes(text, text, text[], text[], jsonb)',
  'published_rows(text, text, text[], text[], text, text[], text[], bigint, bigint)',
  'published_hashes_by_key(text, text, text[], text[], jsonb)',
  'published_rows_by_key(text, text, text[], text[], text, jsonb, bigint)',
];
const definers = ['refuse_foreign_truncate()', ...readingFunctions];
const written = [
  'stream',
  'route',
  'heartbeat',
  'heartbeat_log',
  'audit',
  'reconcile',
  'reconcile_key',
  'verify',
  'verify_key',
  'unused_slot',
  'parked',
  'blocked',
  'partial',
  'definition',
  'doubt',
];
const rows = ['select', 'insert', 'update', 'delete'];

/** Which tables hold approved rows, and those rows in the columns that are published. */
const reading: readonly Grant[] = readingFunctions.map((signature) => ({
  role: 'reader',
  kind: 'function',
  object: `tributary.${nameOf(signature)}`,
  sql: `tributary.${signature}`,
  privileges: ['execute'],
}));

/** Tells apply which row of a set failed. */
const counter: Grant = {
  role: 'writer',
  kind: 'sequence',
  object: 'tributary.row_at',
  sql: 'tributary.row_at',
  privileges: ['usage'],
};

/** Acts with the reading role's right to drop a slot; `planSuperuser` gives it to that role. */
const dropper: Grant = {
  role: 'writer',
  kind: 'function',
  object: 'tributary.drop_unused_slot',
  sql: 'tributary.drop_unused_slot(text)',
  privileges: ['execute'],
};

export function planGrants(intent: Intent, decision: Decision, facts: Facts): Planned {
  const grants = wantedGrants(intent, decision, facts);
  return {
    statements: [
      ...giveDefiners(decision, facts),
      ...grants.flatMap((grant) => grantStatement(intent, grant, facts)),
    ],
    keeps: grants.map((grant) => keep('grant', targetOf(grant))),
  };
}

/** A superuser's look at a table would run what its owner wrote into an index or a type with all rights. */
function giveDefiners(decision: Decision, facts: Facts): readonly Statement[] {
  const { user, superuser } = facts.server;
  const [owner, ...others] = new Set(decision.tables.map((table) => table.facts.owner));
  if (!superuser || owner === undefined || others.length > 0) {
    return [];
  }
  return definers
    .filter((signature) => (facts.definers.get(nameOf(signature)) ?? user) !== owner)
    .map((signature) =>
      statement('owner', 'none', {
        why: "looks at tables with the rights of the tables' owner, no more",
        object: `owner of tributary.${signature}`,
        commands: [
          `grant usage on schema tributary to ${ident(owner)}`,
          `alter function tributary.${signature} owner to ${ident(owner)}`,
        ],
      }),
    );
}

function nameOf(signature: string): string {
  return signature.slice(0, signature.indexOf('('));
}

function wantedGrants(intent: Intent, decision: Decision, facts: Facts): readonly Grant[] {
  const grants: Grant[] = [schema('writer', 'tributary')];
  grants.push(...readOnly.map((name) => own('writer', name, ['select'])));
  grants.push(...written.map((name) => own('writer', name, rows)));
  grants.push(counter);
  if (intent.parent !== null) {
    grants.push(schema('reader', 'tributary'));
    grants.push(
      own('reader', 'node', ['select']),
      own('reader', 'heartbeat_log', ['select']),
      own('reader', 'unused_slot', ['select']),
      ...reading,
      levelness,
      dropper,
    );
  }
  if (!intent.leaf) {
    grants.push(...applyGrants(decision, facts));
  }
  return grants;
}

/** What apply needs above the leaves; sequences for columns the child does not send. */
function applyGrants(decision: Decision, facts: Facts): readonly Grant[] {
  const grants: Grant[] = [];
  for (const key of facts.privileges.keys()) {
    const [role, kind, ...rest] = key.split(' ');
    const object = rest.join(' ');
    if (role !== 'writer' || object === 'tributary' || object.startsWith('tributary.')) {
      continue;
    }
    if (kind === 'schema') {
      grants.push(schema('writer', object));
    } else if (kind === 'sequence') {
      grants.push({ role, kind, object, sql: quotedPath(object), privileges: ['usage'] });
    }
  }
  for (const table of decision.tables) {
    grants.push({
      role: 'writer',
      kind: 'table',
      object: `${table.schema}.${table.name}`,
      sql: qualified(table),
      privileges: rows,
    });
  }
  return grants;
}

function quotedPath(object: string): string {
  const dot = object.indexOf('.');
  return qualified({ schema: object.slice(0, dot), name: object.slice(dot + 1) });
}

function schema(role: Grant['role'], name: string): Grant {
  return { role, kind: 'schema', object: name, sql: ident(name), privileges: ['usage'] };
}

function own(role: Grant['role'], name: string, privileges: readonly string[]): Grant {
  const object = `tributary.${name}`;
  return { role, kind: 'table', object, sql: object, privileges };
}

function targetOf(grant: Grant): string {
  return `${grant.role} ${grant.kind} ${grant.object}`;
}

function grantStatement(intent: Intent, grant: Grant, facts: Facts): readonly Statement[] {
  const held = facts.privileges.get(targetOf(grant));
  const lacking = grant.privileges.filter((privilege) => !held?.has(privilege));
  if (lacking.length === 0) {
    return [];
  }
  const role = ident(intent.node.roles[grant.role]);
  const what = `${lacking.join(', ')} on ${grant.kind} ${grant.sql}`;
  const commands = [`grant ${what} to ${role}`];
  if (grant.object !== 'tributary' && !grant.object.startsWith('tributary.')) {
    commands.push(
      remember({
        kind: 'grant',
        object: `${what} to ${role}`,
        wanted: targetOf(grant),
        undo: `revoke ${what} from ${role}`,
      }),
    );
  }
  return [
    statement('owner', 'none', {
      why: `what the ${grant.role} needs, no more`,
      object: `right of ${role}: ${what}`,
      commands,
    }),
  ];
}
