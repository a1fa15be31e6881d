/** `tributary prepare [--plan] [--admin URL] [--undo]`: makes this node's database what the topology wants of it. */
import type { Topology } from '../config/model.ts';
import { postgresUrl } from '../config/postgres-url.ts';
import { localError } from '../database/local-error.ts';
import type { Log } from '../log.ts';
import { type Intent, intentOf } from '../publish/intent.ts';
import { openAdmin, planFor, prepareNode, type PrepareResult } from '../publish/prepare.ts';
import { type Statement, sqlOf } from '../publish/statement.ts';
import { undoNode, undoPlanFor } from '../publish/undo.ts';
import { complaint, exitCodeOf } from './complain.ts';
import { exitCodeOfFindings, type Out, printFindings } from './findings.ts';

export interface PrepareArguments {
  readonly topology: Topology;
  readonly node: string;
  /** Prints both scripts and runs nothing. */
  readonly plan: boolean;
  /** null: the node's own `database` is used, whose role can read but not change. */
  readonly admin: string | null;
  readonly undo: boolean;
  readonly log?: Log;
  readonly signal?: AbortSignal;
}

/** Exit code 0: prepared; 1: not reached, such as a lock held by others; 2: configuration; 3: needs a person. */
export async function prepareCommand(args: PrepareArguments, out: Out): Promise<number> {
  try {
    const intent = intentOf(args.topology, args.node);
    const adminUrl =
      args.admin === null
        ? intent.node.database.read()
        : postgresUrl(args.admin, { option: '--admin' });
    return args.plan ? await show(args, adminUrl, out) : await run(args, adminUrl, out);
  } catch (error) {
    complaint(error).forEach((line) => out(line));
    if (args.admin === null && localError(error).code === 'database_refused') {
      out(
        'Before the roles exist: --admin URL, with the login of an owner of the tables or a superuser.',
      );
    }
    return exitCodeOf(error);
  }
}

async function show(args: PrepareArguments, adminUrl: string, out: Out): Promise<number> {
  const intent = intentOf(args.topology, args.node);
  await using session = await openAdmin(adminUrl, args.node);
  if (args.undo) {
    const { plan } = await undoPlanFor(session.client, intent);
    printScripts(plan, 'tributary prepare --undo --admin URL', out);
    printFindings(plan.findings, (line) => out(`-- ${line}`));
    return 0;
  }
  const { plan } = await planFor(session.client, intent);
  // The plan is made to be run by others: what only this login may not do stands in nobody's way.
  const login = new Set(['not_owner', 'may_not_create', 'role_missing']);
  const findings = plan.findings.filter((finding) => !login.has(finding.code));
  if (exitCodeOfFindings(findings) !== 0) {
    printFindings(findings, out);
    out('no scripts before that is mended: they would not be complete');
    return 3;
  }
  printScripts(plan, 'tributary prepare --admin URL', out);
  printAccess(intent, session.client.database ?? '', out);
  // What is printed can be given to psql as it is.
  printFindings(findings, (line) => out(`-- ${line}`));
  return 0;
}

async function run(args: PrepareArguments, adminUrl: string, out: Out): Promise<number> {
  const options = { ...args, adminUrl };
  if (args.undo) {
    return report(await undoNode(options), 'taken away', out);
  }
  const intent = intentOf(args.topology, args.node);
  const { plan } = await planned(intent, adminUrl, args.node);
  if (exitCodeOfFindings(plan.findings) !== 0) {
    printFindings(plan.findings, out);
    return 3;
  }
  return report(await prepareNode(options), 'prepared', out);
}

async function planned(intent: Intent, adminUrl: string, node: string): ReturnType<typeof planFor> {
  await using session = await openAdmin(adminUrl, node);
  return await planFor(session.client, intent);
}

function report(result: PrepareResult, word: string, out: Out): number {
  for (const one of result.done) {
    out(`done     ${headline(one)}`);
  }
  printFindings(result.findings, out);
  for (const one of result.left) {
    out(`left     for a superuser: ${sqlOf(one).replaceAll('\n', ' ')}`);
  }
  for (const setting of result.restartFor) {
    out(`left     restart PostgreSQL: ${setting} acts only then`);
  }
  const but = result.left.length + result.restartFor.length > 0 ? ', but for what is left' : '';
  out(`${result.done.length === 0 ? `nothing to do: all is ${word}` : word}${but}`);
  return 0;
}

/** The first line that says what a statement makes, not what it first clears away. */
function headline(one: Statement): string {
  const lines = sqlOf({ ...one, transaction: false })
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('--'));
  const made = lines.find((line) => !line.startsWith('drop ')) ?? lines[0] ?? '';
  return (made.startsWith('delete from tributary.') ? (lines[0] ?? '') : made).slice(0, 160);
}

interface Scripts {
  readonly superuser: readonly Statement[];
  readonly owner: readonly Statement[];
}

/** `command`: what runs the second one. */
function printScripts(scripts: Scripts, command: string, out: Out): void {
  out('-- Script 1: a superuser of this server, once.');
  printScript(scripts.superuser, out);
  out(`-- Script 2: an owner of the tables with CREATE on the database (\`${command}\` runs it).`);
  if (scripts.owner.length > 0) {
    // What PostgreSQL tells back is kept to be compared; it depends on the path.
    out('set search_path = pg_catalog;');
  }
  printScript(scripts.owner, out);
}

const costs = {
  none: 'nothing waits',
  lock: "a moment's lock; set lock_timeout = '2s' and repeat",
  reload: 'a reload of the configuration',
  restart: 'a restart of PostgreSQL',
  scan: 'reads the whole table; writes go on',
} as const;

function printScript(statements: readonly Statement[], out: Out): void {
  if (statements.length === 0) {
    out('-- nothing to do');
  }
  for (const one of statements) {
    out(`-- by: ${one.who}; costs: ${costs[one.cost]}; ${one.why}`);
    out(sqlOf(one));
  }
  out('');
}

/** A logical walsender connects to a database, so the keyword `replication`, which opens physical copies, is not needed. */
function printAccess(intent: Intent, database: string, out: Out): void {
  const { writer, reader } = intent.node.roles;
  out('-- Passwords are set by a person, in psql:');
  out(`--   \\password ${writer}`);
  if (intent.parent !== null) {
    out(`--   \\password ${reader}`);
  }
  out('-- Lines for pg_hba.conf, then a reload; write the addresses of your network:');
  out(`--   host  ${database}  ${writer}  127.0.0.1/32  scram-sha-256`);
  if (intent.parent !== null) {
    out(
      `--   host  ${database}  ${reader}  ADDRESS_OF_${intent.parent.name.toUpperCase()}/32  scram-sha-256`,
    );
  }
}
