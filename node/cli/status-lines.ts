/** A status report as lines for a terminal; the first one is the summary a monitoring system keeps. */
import type { StatusReport, StreamStatus } from '../monitor/status-report.ts';
import type { Judgement } from './verdict.ts';

export function statusLines(report: StatusReport, judgement: Judgement): readonly string[] {
  return [
    summary(report, judgement),
    ...(report.problem
      ? [`${report.problem.text} (${report.problem.code})`, report.problem.advice]
      : []),
    ...report.topology.problems,
    ...report.streams.flatMap(streamLines),
    ...report.freshness.map(originLine),
    ...report.slots.map(
      ({ name, active, retainedBytes, safeWalBytes, walStatus }) =>
        `slot ${name}: ${active ? 'in use' : 'not in use'}, retains ${bytes(retainedBytes)}, ` +
        `${safeWalBytes === null ? 'no bound' : `${bytes(safeWalBytes)} until lost`} (${walStatus ?? 'unknown'})`,
    ),
    ...(report.disk
      ? [
          `disk ${report.disk.path}: ${bytes(report.disk.freeBytes)} of ${bytes(report.disk.totalBytes)} free`,
        ]
      : []),
    ...report.findings.map(
      ({ severity, object, problem, advice }) => `${severity}: ${object}: ${problem}. ${advice}`,
    ),
  ];
}

function summary({ node, title, level }: StatusReport, judgement: Judgement): string {
  const name = title === node ? node : `${node} "${title}"`;
  const { verdict, reasons } = judgement;
  const why = reasons.length === 0 ? '' : `: ${reasons.slice(0, 3).join('; ')}`;
  const more = reasons.length > 3 ? ` and ${reasons.length - 3} more` : '';
  return `${verdict.toUpperCase()} ${name} (${level})${why}${more}`;
}

function streamLines(stream: StreamStatus): readonly string[] {
  const { provider, state, lagBytes, heartbeatAgeSeconds, position, problem } = stream;
  const lines = [
    `stream ${provider}: ${state}, ${bytes(lagBytes)} behind, heartbeat ${age(heartbeatAgeSeconds)} old, ` +
      `applied through ${position ?? 'nothing yet'}`,
  ];
  if (problem) {
    const retry =
      stream.retryInMs === null ? '' : `, again in ${Math.ceil(stream.retryInMs / 1000)} s`;
    lines.push(`  ${problem.text} (${problem.code}${retry})`, `  ${problem.advice}`);
  }
  return [...lines, ...stream.doubts.map(({ name }) => `  doubt: ${name}`)];
}

function originLine({
  origin,
  ageSeconds,
  complete,
  reason,
  via,
}: StatusReport['freshness'][number]): string {
  const through = ageSeconds === null ? 'nothing heard yet' : `${age(ageSeconds)} old`;
  return `origin ${origin} by way of ${via}: ${through}, ${complete ? 'complete' : `not complete (${reason ?? 'unknown'})`}`;
}

function bytes(count: number | null): string {
  if (count === null) {
    return 'unknown';
  }
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(count, 1)) / 10));
  return power === 0 ? `${count} B` : `${(count / 1024 ** power).toFixed(1)} ${units[power] ?? ''}`;
}

function age(seconds: number | null): string {
  return seconds === null ? 'unknown' : `${Math.round(seconds)} s`;
}
