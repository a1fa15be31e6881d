/** `tributary status`: asks the running process; where none answers, the database. Exits like a monitoring plugin. */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { z } from 'zod';
import { openPool } from '../database/connect.ts';
import { localError } from '../database/local-error.ts';
import { tributaryDatabase } from '../database/tables.ts';
import { reportStatus } from '../monitor/report-status.ts';
import { Sampler } from '../monitor/sample.ts';
import { TributaryError } from '../errors.ts';
import { isLeaderLock, leaderLock } from '../supervise/leader.ts';
import { statusReport, type StatusReport } from '../monitor/status-report.ts';
import { stoppedStream } from '../supervise/stream-report.ts';
import { childrenOf } from '../config/tree.ts';
import { addressOf, askNode } from './node-address.ts';
import type { Place } from './place.ts';
import { statusLines } from './status-lines.ts';
import { exitCodes, judge } from './verdict.ts';
import { version } from './version.ts';

const refusal = z.object({ text: z.string() }).catch({ text: 'not a status' });

/** Whether a process holds the leader's lock in this database: it runs, then, wherever it may answer. */
const leaderSql = `
  select
  from pg_catalog.pg_locks l
  join pg_catalog.pg_database d on d.oid = l.database
  where d.datname = pg_catalog.current_database() and ${isLeaderLock}`;

export async function statusCommand(
  place: Place,
  { json }: { readonly json: boolean },
  out: (line: string) => void,
): Promise<number> {
  const report = (await askProcess(place)) ?? (await askDatabase(place));
  const judgement = judge(report);
  if (json) {
    out(JSON.stringify({ ...judgement, ...report }, null, 2));
  } else {
    statusLines(report, judgement).forEach((line) => out(line));
  }
  return exitCodes[judgement.verdict];
}

async function askProcess({ node }: Place): Promise<StatusReport | null> {
  const reply = await askNode(node, { method: 'GET', path: '/api/status', timeoutMs: 15_000 });
  if (!reply) {
    return null;
  }
  const { success, data } = statusReport.safeParse(reply.body);
  if (!success || data.node !== node.name) {
    const { text } = refusal.parse(reply.body);
    const context = { address: addressOf(node), status: reply.status, reason: text };
    throw new TributaryError('process_silent', context);
  }
  return data;
}

/** The session of a process that has just died ends within a moment. */
async function isLed(pool: pg.Pool): Promise<boolean> {
  for (let look = 0; look < 5; look += 1) {
    const { rows } = await pool.query(leaderSql, [String(leaderLock)]).catch(() => ({ rows: [] }));
    if (rows.length === 0) {
      return false;
    }
    await pause(200);
  }
  return true;
}

async function askDatabase({ topology, node }: Place): Promise<StatusReport> {
  const pool = openPool({
    url: node.database.read(),
    applicationName: `tributary ${node.name} status`,
    settings: { statement_timeout: 10_000 },
    max: 1,
  });
  try {
    if (await isLed(pool)) {
      const reason = 'a process of this node holds its lock, but does not answer there';
      throw new TributaryError('process_silent', { address: addressOf(node), reason });
    }
    const database = tributaryDatabase(pool);
    const sampler = new Sampler({ pool, database, diskPath: () => node.disk?.path ?? null });
    const sample = await sampler.now();
    return reportStatus({
      topology,
      node,
      version,
      pid: null,
      topologyProblems: [],
      leader: 'none',
      serving: false,
      problem: null,
      streams: childrenOf(topology, node).map(({ name }) => stoppedStream(name)),
      sample,
      findings: [],
      probes: [],
      walsendersEnded: 0,
    });
  } catch (error) {
    throw localError(error);
  } finally {
    await pool.end();
  }
}
