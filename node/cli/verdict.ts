/** A status report as a monitoring plugin judges it; pure. */
import type { StatusReport } from '../monitor/status-report.ts';

export type Verdict = 'ok' | 'warning' | 'critical' | 'unknown';

export const exitCodes = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const;

export interface Judgement {
  readonly verdict: Verdict;
  /** What is not well, the most serious first; empty when ok. */
  readonly reasons: readonly string[];
}

interface Remark {
  readonly verdict: 'warning' | 'critical';
  readonly reason: string;
}

/** Heartbeats missed until an origin is worth a warning. */
const missedHeartbeats = 10;
const leastFreeShare = 0.1;

export function judge(report: StatusReport): Judgement {
  if (report.pid === null && !report.database.up) {
    const reason = `neither a process nor its database answers${report.problem ? `: ${report.problem.text}` : ''}`;
    return { verdict: 'unknown', reasons: [reason] };
  }
  const remarks = [
    ...nodeRemarks(report),
    ...report.streams.flatMap(streamRemarks),
    ...originRemarks(report),
    ...probeRemarks(report),
    ...localRemarks(report),
  ];
  const critical = remarks.filter(({ verdict }) => verdict === 'critical');
  const warnings = remarks.filter(({ verdict }) => verdict === 'warning');
  const reasons = [...critical, ...warnings].map(({ reason }) => reason);
  if (critical.length > 0) {
    return { verdict: 'critical', reasons };
  }
  return { verdict: warnings.length > 0 ? 'warning' : 'ok', reasons };
}

function nodeRemarks(report: StatusReport): Remark[] {
  if (report.pid === null) {
    return [{ verdict: 'critical', reason: 'process not running' }];
  }
  const remarks: Remark[] = [];
  if (report.leader === 'waiting') {
    remarks.push({ verdict: 'warning', reason: 'another process serves this node' });
  } else if (!report.ready) {
    remarks.push({ verdict: 'critical', reason: report.problem?.text ?? 'not ready yet' });
  }
  if (!report.topology.valid) {
    remarks.push({ verdict: 'warning', reason: 'the topology file last read has problems' });
  }
  return remarks;
}

function streamRemarks(stream: StatusReport['streams'][number]): Remark[] {
  const why = stream.problem ? `: ${stream.problem.text}` : '';
  switch (stream.state) {
    case 'person':
      return [{ verdict: 'critical', reason: `stream ${stream.provider} needs a person${why}` }];
    case 'retrying':
    case 'paused':
    case 'stopped':
      return [{ verdict: 'warning', reason: `stream ${stream.provider} is ${stream.state}${why}` }];
    case 'starting':
    case 'proving':
    case 'streaming':
      return tableRemarks(stream);
  }
}

function tableRemarks(stream: StatusReport['streams'][number]): Remark[] {
  const { provider, partial, blocked, verified } = stream;
  return [
    ...blocked.map(({ table, reason, cause, column }) => ({
      verdict: 'critical' as const,
      reason:
        reason === 'parked'
          ? `${table} from ${provider} is left alone: too many of its keys are parked`
          : `${table} from ${provider} is left alone: ${[cause, column].filter(Boolean).join(' ')}`,
    })),
    ...partial.map(({ table, columns }) => ({
      verdict: 'warning' as const,
      reason: `${table} goes in without ${columns.join(', ')}, which do not exist here`,
    })),
    ...verified.flatMap(({ table, differing }) =>
      differing === null || differing === 0
        ? []
        : [
            {
              verdict: 'warning' as const,
              reason: `${table} differs from ${provider} in ${differing} rows, as verify has found`,
            },
          ],
    ),
  ];
}

function originRemarks({ freshness, heartbeatMs }: StatusReport): Remark[] {
  const limit = (missedHeartbeats * heartbeatMs) / 1000;
  const expected = freshness.filter(({ retired }) => !retired);
  return expected.flatMap(({ origin, ageSeconds, complete, reason }) => {
    const remarks: Remark[] = [];
    if (ageSeconds === null) {
      remarks.push({ verdict: 'warning', reason: `nothing heard of ${origin} yet` });
    } else if (ageSeconds > limit) {
      remarks.push({
        verdict: 'warning',
        reason: `${origin} last heard of ${Math.round(ageSeconds)} s ago`,
      });
    } else if (!complete) {
      remarks.push({ verdict: 'warning', reason: `${origin} is not complete (${reason ?? ''})` });
    }
    return remarks;
  });
}

/** As the alert TributaryCertificateExpiring. */
const certificateDays = 14;

function probeRemarks({ probes, at }: StatusReport): Remark[] {
  const soon = Date.parse(at) + certificateDays * 86_400_000;
  return probes.flatMap(({ name, up, reason, certificateExpires }) => {
    const remarks: Remark[] = [];
    if (!up) {
      remarks.push({ verdict: 'warning', reason: `${name} does not answer (${reason})` });
    }
    if (certificateExpires !== null && Date.parse(certificateExpires) < soon) {
      const day = certificateExpires.slice(0, 10);
      remarks.push({ verdict: 'warning', reason: `the certificate of ${name} ends on ${day}` });
    }
    return remarks;
  });
}

function localRemarks({ slots, disk, findings }: StatusReport): Remark[] {
  const remarks: Remark[] = [];
  for (const { name, walStatus } of slots) {
    if (walStatus === 'lost') {
      remarks.push({ verdict: 'critical', reason: `slot ${name} is lost` });
    } else if (walStatus === 'unreserved') {
      remarks.push({ verdict: 'critical', reason: `slot ${name} is about to be lost` });
    }
  }
  if (disk && disk.freeBytes < disk.totalBytes * leastFreeShare) {
    const percent = Math.floor((100 * disk.freeBytes) / disk.totalBytes);
    remarks.push({ verdict: 'warning', reason: `${percent} % of the disk is free` });
  }
  for (const { severity, object, problem } of findings) {
    if (severity !== 'info') {
      const verdict = severity === 'error' ? 'critical' : 'warning';
      remarks.push({ verdict, reason: `${object}: ${problem}` });
    }
  }
  return remarks;
}
