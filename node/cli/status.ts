/** `tributary status`: asks the running process; where none answers, the database. Exits like a monitoring plugin. */
import { openPool } from '../database/connect.ts';
import { localError } from '../database/local-error.ts';
import { tributaryDatabase } from '../database/tables.ts';
import { reportStatus } from '../monitor/report-status.ts';
import { Sampler } from '../monitor/sample.ts';
import { statusReport, type StatusReport } from '../monitor/status-report.ts';
import { stoppedStream } from '../supervise/stream-report.ts';
import { childrenOf } from '../config/tree.ts';
import { askNode } from './node-address.ts';
import type { Place } from './place.ts';
import { statusLines } from './status-lines.ts';
import { exitCodes, judge } from './verdict.ts';
import { version } from './version.ts';

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
  const { success, data } = statusReport.safeParse(reply?.body);
  return success && data.node === node.name ? data : null;
}

async function askDatabase({ topology, node }: Place): Promise<StatusReport> {
  const pool = openPool({
    url: node.database.read(),
    applicationName: `tributary ${node.name} status`,
    settings: { statement_timeout: 10_000 },
    max: 1,
  });
  try {
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
