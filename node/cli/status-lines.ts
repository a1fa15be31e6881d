/** A status report as lines for a terminal; the first one is the summary a monitoring system keeps. */
import type { StatusReport, StreamStatus } from '../monitor/status-report.ts';
import type { Judgement } from './verdict.ts';

type Copy = StreamStatus['copies'][number];

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
    ...forecastLines(report.forecast),
    ...report.probes.map(
      ({ name, up, reason, certificateExpires }) =>
        `application ${name}: ${up ? 'online' : `down (${reason ?? ''})`}` +
        (certificateExpires === null
          ? ''
          : `, certificate until ${certificateExpires.slice(0, 10)}`),
    ),
    ...report.findings.map(
      ({ severity, object, problem, advice }) => `${severity}: ${object}: ${problem}. ${advice}`,
    ),
  ];
}

/** At the rate of the last day. */
function forecastLines(forecast: StatusReport['forecast']): readonly string[] {
  const { offlineSeconds, diskSeconds, slots } = forecast;
  return [
    ...(offlineSeconds === null ? [] : [`may be cut off for ${lasting(offlineSeconds)}`]),
    ...(diskSeconds === null ? [] : [`the disk is full in ${lasting(diskSeconds)}`]),
    ...slots.map(({ name, seconds }) => `slot ${name} is given up in ${lasting(seconds)}`),
  ];
}

function lasting(seconds: number): string {
  const hours = seconds / 3600;
  return hours < 1
    ? `${Math.round(seconds / 60)} min`
    : hours < 48
      ? `${Math.round(hours)} h`
      : `${Math.round(hours / 24)} days`;
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
  const [met] = stream.doubtsMet;
  if (met && stream.complete === false) {
    lines.push(`  new slot since ${met.at.slice(0, 19)}Z: ${met.name}; every table is compared`);
  }
  lines.push(...stream.copies.filter(({ state }) => state !== 'done').map(copyLine));
  lines.push(
    ...stream.parked.map(
      ({ table, reason, count }) =>
        `  ${table}: ${count} parked (${reason}), see \`tributary ${reason === 'rewound' ? 'rewound' : 'parked'} list\``,
    ),
    ...stream.verified.flatMap(verifiedLine),
    ...stream.blocked.map(({ table, reason, cause, column, advice }) => {
      const why = reason === 'parked' ? [] : [cause, column].filter((each) => each !== null);
      return `  ${table}: left alone${why.length > 0 ? ` (${why.join(' ')})` : ''}. ${advice}`;
    }),
    ...stream.partial.map(
      ({ table, columns, mend }) =>
        `  ${table}: goes in without ${columns.join(', ')}. Here: ${mend}`,
    ),
  );
  return [...lines, ...stream.doubts.map(({ name }) => `  doubt: ${name}`)];
}

function copyLine({ table, state, reason, rows, estimatedRows, secondsLeft }: Copy): string {
  const share =
    estimatedRows === null || estimatedRows === 0
      ? `${rows} rows`
      : `${rows} of about ${estimatedRows} rows`;
  const left = secondsLeft === null ? '' : `, about ${lasting(secondsLeft)} left`;
  return `  ${table}: ${reason} ${state}, ${share}${left}`;
}

function verifiedLine({
  table,
  state,
  rows,
  through,
  differing,
}: StreamStatus['verified'][number]): readonly string[] {
  return [
    ...(state === 'done' ? [] : [`  ${table}: comparison ${state}, ${rows} rows`]),
    ...(differing === null || differing === 0
      ? []
      : [
          `  ${table}: ${differing} rows differed at ${through ?? '?'}, see \`tributary reconcile\``,
        ]),
  ];
}

function originLine({
  origin,
  ageSeconds,
  complete,
  reason,
  via,
  retired,
}: StatusReport['freshness'][number]): string {
  if (retired) {
    return `origin ${origin} by way of ${via}: closed, its rows stay`;
  }
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
