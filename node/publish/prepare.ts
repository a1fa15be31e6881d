/** Makes a database what the topology wants of it. Idempotent: what stands is left, and a second run does nothing. */
import pg from 'pg';
import type { Topology } from '../config/model.ts';
import { clientConfig } from '../database/connect.ts';
import { migrations } from '../database/migrate.ts';
import { sqlFailure } from '../database/sqlstate.ts';
import { TributaryError } from '../errors.ts';
import { type Log, silent } from '../log.ts';
import { readFacts } from './catalogue.ts';
import { execute, type ExecuteOptions } from './execute.ts';
import { error, type Finding } from './finding.ts';
import { type Intent, intentOf } from './intent.ts';
import { type Plan, planPrepare } from './plan.ts';
import type { Statement } from './statement.ts';

export interface PrepareOptions {
  readonly topology: Topology;
  readonly node: string;
  /** A superuser runs both parts; an owner of the tables with CREATE on the database runs the owner's part. */
  readonly adminUrl: string;
  readonly log?: Log;
  /** The longest an application's statement may wait for one of ours; default 2 s. */
  readonly lockTimeoutMs?: number;
  /** How long locks are asked for in all; default 10 minutes. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

export interface PrepareResult {
  /** What was run, in order; empty: everything stood. */
  readonly done: readonly Statement[];
  /** What a superuser still has to run, because this role may not. */
  readonly left: readonly Statement[];
  /** Settings that act only after a restart of PostgreSQL. */
  readonly restartFor: readonly string[];
  /** Warnings; what stands in the way is thrown. */
  readonly findings: readonly Finding[];
}

/**
 * @throws TributaryError prepare_refused with the first problem in its context, node_name_differs, prepare_blocked,
 * prepare_failed, database_unreachable, database_refused.
 */
export async function prepareNode(options: PrepareOptions): Promise<PrepareResult> {
  const intent = intentOf(options.topology, options.node);
  await using session = await openAdmin(options.adminUrl, options.node);
  const { client } = session;
  const done: Statement[] = [];
  const executing: ExecuteOptions = {
    log: options.log ?? silent,
    lockTimeoutMs: options.lockTimeoutMs ?? 2000,
    deadline: performance.now() + (options.patienceMs ?? 600_000),
    ...(options.signal ? { signal: options.signal } : {}),
  };
  // A plan that was run completely leaves nothing; more rounds only follow what others change meanwhile.
  for (let round = 0; round < 20; round += 1) {
    const { plan, superuser, restartFor } = await planFor(client, intent);
    refuse(plan.findings);
    const todo = [...(superuser ? plan.superuser : []), ...plan.owner];
    if (todo.length === 0) {
      const left = superuser ? [] : plan.superuser;
      return { done, left, restartFor, findings: plan.findings };
    }
    for (const one of todo) {
      if ((await execute(client, one, executing)) === 'replan') {
        break;
      }
      done.push(one);
    }
  }
  throw new TributaryError('internal', { reason: 'prepare does not come to an end' });
}

export interface PlanFor {
  readonly plan: Plan;
  readonly superuser: boolean;
  readonly restartFor: readonly string[];
}

/** Reads the catalogue and plans; runs nothing. */
export async function planFor(client: pg.ClientBase, intent: Intent): Promise<PlanFor> {
  const facts = await readFacts(client, intent);
  const plan = planPrepare(intent, facts, await migrations());
  const { superuser, roles } = facts.server;
  const lacking: Finding[] = [];
  if (!superuser) {
    const wanted =
      intent.parent === null ? ['writer' as const] : ['writer' as const, 'reader' as const];
    for (const name of wanted.filter((one) => roles[one] === null)) {
      lacking.push(
        error('role_missing', intent.node.roles[name], {
          problem: 'the role does not exist, and this login may not create it',
          advice: 'Let a superuser run the first script of `tributary prepare --plan`.',
        }),
      );
    }
  }
  const restartFor = [...facts.server.settings]
    .filter(([, setting]) => setting.pendingRestart)
    .map(([name]) => name);
  return { plan: { ...plan, findings: [...lacking, ...plan.findings] }, superuser, restartFor };
}

function refuse(findings: readonly Finding[]): void {
  const errors = findings.filter((finding) => finding.severity === 'error');
  const first = errors[0];
  if (first !== undefined) {
    throw new TributaryError('prepare_refused', {
      object: first.object,
      problem: first.problem,
      advice: first.advice,
      problems: errors.length,
    });
  }
}

export interface AdminSession extends AsyncDisposable {
  readonly client: pg.Client;
}

/** @throws TributaryError database_unreachable | database_refused */
export async function openAdmin(url: string, node: string): Promise<AdminSession> {
  const client = new pg.Client(
    clientConfig({
      url,
      applicationName: `tributary ${node} prepare`,
      settings: { search_path: 'pg_catalog', client_min_messages: 'warning' },
    }),
  );
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (cause) {
    const sqlstate = sqlFailure(cause)?.sqlstate ?? '';
    const refused = sqlstate.startsWith('28') || sqlstate === '3D000';
    throw new TributaryError(refused ? 'database_refused' : 'database_unreachable', {}, { cause });
  }
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      await client.end().catch(() => {});
    },
  };
}
