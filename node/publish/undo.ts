/** Runs the plan that takes away what prepare made. Interrupted, it goes on at the next call: the memory goes last. */
import type pg from 'pg';
import { qualified } from '../database/ident.ts';
import { TributaryError } from '../errors.ts';
import { silent } from '../log.ts';
import { type Facts, readFacts } from './catalogue.ts';
import { execute } from './execute.ts';
import { addedOriginColumn, type Intent, intentOf } from './intent.ts';
import { planUndo, type UndoPlan } from './plan-undo.ts';
import { openAdmin, type PrepareOptions, type PrepareResult } from './prepare.ts';
import type { Statement } from './statement.ts';

/** @throws TributaryError node_name_differs, prepare_blocked, prepare_failed, database_unreachable, database_refused */
export async function undoNode(options: PrepareOptions): Promise<PrepareResult> {
  const intent = intentOf(options.topology, options.node);
  await using session = await openAdmin(options.adminUrl, options.node);
  const { client } = session;
  const done: Statement[] = [];
  const findings: UndoPlan['findings'][number][] = [];
  const executing = {
    log: options.log ?? silent,
    lockTimeoutMs: options.lockTimeoutMs ?? 2000,
    deadline: performance.now() + (options.patienceMs ?? 600_000),
    ...(options.signal ? { signal: options.signal } : {}),
  };
  for (let round = 0; round < 20; round += 1) {
    const { plan, superuser } = await undoPlanFor(client, intent);
    findings.push(...plan.findings);
    const todo = [...(superuser ? plan.superuser : []), ...plan.owner];
    if (todo.length === 0) {
      return { done, left: superuser ? [] : plan.superuser, restartFor: [], findings };
    }
    for (const one of todo) {
      if ((await execute(client, one, executing)) === 'replan') {
        break;
      }
      done.push(one);
    }
  }
  throw new TributaryError('internal', { reason: 'undo does not come to an end' });
}

/** @throws TributaryError node_name_differs, when the database belongs to another node. */
export async function undoPlanFor(
  client: pg.ClientBase,
  intent: Intent,
): Promise<{ readonly plan: UndoPlan; readonly superuser: boolean }> {
  const facts = await readFacts(client, intent);
  if (facts.node !== null && facts.node.name !== intent.node.name) {
    throw new TributaryError('node_name_differs', {
      node: intent.node.name,
      found: facts.node.name,
    });
  }
  const foreign = await tablesWithForeignRows(client, facts);
  return { plan: planUndo(facts, foreign), superuser: facts.server.superuser };
}

async function tablesWithForeignRows(
  client: pg.ClientBase,
  facts: Facts,
): Promise<ReadonlySet<string>> {
  const foreign = new Set<string>();
  if (facts.node === null) {
    return foreign;
  }
  const { rows } = await client.query<{ schema: string; name: string }>(
    `select n.nspname::text as schema, c.relname::text as name
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
    join pg_namespace n on n.oid = c.relnamespace
    join tributary.prepared p on p.kind = 'column' and p.object = n.nspname || '.' || c.relname
    where a.attname = $1 and not a.attisdropped`,
    [addedOriginColumn],
  );
  for (const table of rows) {
    const found = await client.query(
      `select 1 as found from ${qualified(table)} t where t.${addedOriginColumn} <> $1 limit 1`,
      [facts.node.name],
    );
    if (found.rows.length > 0) {
      foreign.add(`${table.schema}.${table.name}`);
    }
  }
  return foreign;
}
