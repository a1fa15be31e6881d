/** Everything that would break later, found before it does. Reads only; works as the plain writing role. */
import { statfs } from 'node:fs/promises';
import pg from 'pg';
import type { NodeConfig, Topology } from '../config/model.ts';
import { clientConfig } from '../database/connect.ts';
import { sqlFailure } from '../database/sqlstate.ts';
import { TributaryError } from '../errors.ts';
import { type Facts, readFacts } from './catalogue.ts';
import { readConstraints } from './catalogue-constraints.ts';
import { checkChild, pooled } from './check-child.ts';
import { checkRoles } from './check-roles.ts';
import { checkRows } from './check-rows.ts';
import { checkServer, type DiskFacts } from './check-server.ts';
import { checkTables } from './check-tables.ts';
import { readChild } from './child-facts.ts';
import { decide, type Decision } from './decide.ts';
import { error, type Finding, info } from './finding.ts';
import { healthOf } from './health.ts';
import { type Intent, intentOf } from './intent.ts';
import { isPooled } from './pooler.ts';

export interface CheckOptions {
  readonly topology: Topology;
  readonly node: string;
}

/** Worst first. @throws TributaryError usage, secret_unreadable, database_unreachable, database_refused */
export async function checkNode({ topology, node }: CheckOptions): Promise<readonly Finding[]> {
  const intent = intentOf(topology, node);
  const client = await openOwn(intent.node, topology);
  try {
    const facts = await readFacts(client, intent);
    const decision = decide(intent, facts);
    const constraints = await readConstraints(client, intent);
    const findings = [
      ...((await isPooled(client)) ? [pooled('database')] : []),
      ...checkServer(intent, facts, await readDisk(intent.node)),
      ...checkRoles(intent, facts),
      ...preparation(intent, facts, decision),
      ...checkTables(intent, facts, { decision, constraints }),
      ...(await checkRows(client, intent, decision)),
      ...(await checkChildren(intent, { facts, decision })),
    ];
    return worstFirst(findings);
  } finally {
    await client.end().catch(() => {});
  }
}

function worstFirst(findings: readonly Finding[]): readonly Finding[] {
  const order = { error: 0, warning: 1, info: 2 };
  return findings.toSorted(
    (a, b) => order[a.severity] - order[b.severity] || a.object.localeCompare(b.object),
  );
}

async function openOwn(node: NodeConfig, topology: Topology): Promise<pg.Client> {
  const client = new pg.Client(
    clientConfig({
      url: node.database.read(),
      applicationName: `tributary ${node.name} check ${topology.digest}`,
    }),
  );
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (cause) {
    const failure = sqlFailure(cause);
    const refused = failure?.sqlstate?.startsWith('28') || failure?.sqlstate === '3D000';
    throw new TributaryError(
      refused ? 'database_refused' : 'database_unreachable',
      { node: node.name, sqlstate: failure?.sqlstate, socket: failure?.socket },
      { cause },
    );
  }
}

/** null: not watched, or not to be seen from here. */
async function readDisk(node: NodeConfig): Promise<DiskFacts | null> {
  if (node.disk === null) {
    return null;
  }
  try {
    const { bsize, blocks, bavail } = await statfs(node.disk.path);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch {
    return null;
  }
}

function preparation(intent: Intent, facts: Facts, decision: Decision): readonly Finding[] {
  const name = intent.node.name;
  if (facts.node === null) {
    const errors = decision.findings.filter((finding) => finding.severity === 'error');
    return [
      ...errors,
      error('not_prepared', name, {
        problem: 'the database is not prepared, or this role may not see it',
        advice: 'Run `tributary prepare --admin URL`.',
      }),
    ];
  }
  return facts.node.name === name
    ? healthOf(intent, facts)
    : [
        error('node_name_differs', name, {
          problem: `the database belongs to ${facts.node.name}`,
          advice: "Point `database` to the right server; a node's name never changes.",
        }),
      ];
}

async function checkChildren(
  intent: Intent,
  here: { readonly facts: Facts; readonly decision: Decision },
): Promise<readonly Finding[]> {
  const children = intent.children.filter((child) => !child.retired);
  const findings = await Promise.all(
    children.map(async (child) => await checkOne(child, intent, here)),
  );
  return findings.flat();
}

async function checkOne(
  child: NodeConfig,
  intent: Intent,
  here: { readonly facts: Facts; readonly decision: Decision },
): Promise<readonly Finding[]> {
  try {
    const url = child.provider?.read();
    return url === undefined
      ? []
      : checkChild(child.name, await readChild(url, intent.node.name), here);
  } catch (thrown) {
    return [unreadable(child.name, thrown)];
  }
}

function unreadable(name: string, thrown: unknown): Finding {
  if (thrown instanceof TributaryError) {
    return info('child_not_checked', name, {
      problem: 'its `provider` is a secret that can not be read here',
      advice: thrown.advice,
    });
  }
  const failure = sqlFailure(thrown);
  const refused = failure?.sqlstate?.startsWith('28') || failure?.sqlstate === '3D000';
  return refused
    ? error('child_refused', name, {
        problem: `the child refuses the login (SQLSTATE ${failure?.sqlstate})`,
        advice: `Correct user, password and database in \`provider\` of ${name}, or the line in its pg_hba.conf; \`tributary prepare --plan\` at the child prints it.`,
      })
    : error('child_unreachable', name, {
        problem: `the child does not answer (${failure?.socket ?? failure?.sqlstate ?? 'unknown'})`,
        advice: `Check the link, host and port in \`provider\` of ${name}, and listen_addresses and the firewall at the child.`,
      });
}
