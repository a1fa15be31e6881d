/** A snapshot as the status report. Pure but for the clock. */
import type { Copy } from '../database/copies.ts';
import { adviceOf, textOf, type ErrorCode, type ErrorContext } from '../errors.ts';
import type { Blocked } from '../parking/blocked-table.ts';
import { addColumns, adviceForBlocked, adviceForDrift } from '../parking/table-drift.ts';
import { formatLsn, type Lsn } from '../pgoutput/lsn.ts';
import type { StreamReport } from '../supervise/stream-report.ts';
import { ageNow, forecastOf, type Snapshot } from './snapshot.ts';
import type { StatusProblem, StatusReport, StreamStatus } from './status-report.ts';

export function reportStatus(snapshot: Snapshot): StatusReport {
  const { topology, node, sample } = snapshot;
  const failure = snapshot.problem ?? sample.error;
  return {
    node: node.name,
    title: node.title,
    level: node.level,
    parent: node.parent,
    version: snapshot.version,
    pid: snapshot.pid,
    at: new Date().toISOString(),
    heartbeatMs: topology.heartbeatMs,
    topology: {
      file: topology.file,
      digest: topology.digest,
      valid: snapshot.topologyProblems.length === 0,
      problems: [...snapshot.topologyProblems],
    },
    leader: snapshot.leader,
    ready: isReady(snapshot),
    problem: failure && problemOf(failure.code, failure.context),
    database: {
      up: sample.at !== null && sample.error === null,
      walDirectoryBytes: sample.walDirectoryBytes,
    },
    streams: snapshot.streams.map((stream) => streamStatus(stream, snapshot)),
    freshness: sample.freshness.map((origin) => ({
      ...origin,
      through: origin.through?.toISOString() ?? null,
      ageSeconds: ageNow(sample, origin.ageSeconds),
      retired: topology.nodes.some(({ name, retired }) => retired && name === origin.origin),
    })),
    slots: [...sample.slots],
    disk: sample.disk,
    forecast: forecastStatus(snapshot),
    probes: snapshot.probes.map(({ since, certificateExpires, ...probe }) => ({
      ...probe,
      since: since.toISOString(),
      certificateExpires: certificateExpires?.toISOString() ?? null,
    })),
    findings: [...snapshot.findings],
  };
}

function forecastStatus(snapshot: Snapshot): StatusReport['forecast'] {
  const { diskSeconds, offlineSeconds, slotSeconds } = forecastOf(snapshot);
  const slots = [...slotSeconds].map(([name, seconds]) => ({ name, seconds }));
  return { diskSeconds, offlineSeconds, slots };
}

/** Leading, database reachable, prepared. */
export function isReady({ serving, problem, sample }: Snapshot): boolean {
  return serving && problem === null && sample.error === null;
}

function streamStatus(stream: StreamReport, snapshot: Snapshot): StreamStatus {
  const { sample } = snapshot;
  const { failure, progress, totals } = stream;
  const row = sample.streams.find(({ provider }) => provider === stream.provider);
  const position = stream.position ?? row?.position ?? null;
  const heartbeat = sample.freshness.find(({ origin }) => origin === stream.provider);
  const parked = sample.parked.filter(({ provider }) => provider === stream.provider);
  const blocked = sample.blocked.filter(({ provider }) => provider === stream.provider);
  const lacking = [
    ...(row?.incomplete ? [row.incomplete] : []),
    ...(blocked.length > 0 ? ['blocked'] : []),
    ...(!row?.incomplete && sample.copies.some((copy) => isRepair(copy, stream.provider))
      ? ['reconcile']
      : []),
    ...(parked.length > 0 ? ['parked'] : []),
  ];
  const live = progress?.connected ? progress : null;
  return {
    provider: stream.provider,
    state: stream.state,
    since: stream.since.toISOString(),
    problem: failure && problemOf(failure.code, failure.context),
    doubts: (failure?.doubts ?? []).map(({ name, detail }) => ({ name, detail })),
    doubtsMet: sample.doubts
      .filter(({ provider }) => provider === stream.provider)
      .map(({ name, count, at }) => ({ name, count, at: at.toISOString() })),
    failures: failure?.count ?? 0,
    retryInMs: failure?.retryAt ? Math.max(0, failure.retryAt.getTime() - Date.now()) : null,
    connected: live !== null,
    position: position && formatLsn(position),
    received: live && formatLsn(live.received),
    confirmed: live && formatLsn(live.confirmed),
    lagBytes: live && position && behind(live.walEnd, position),
    queuedBytes: live && live.queuedBytes,
    heartbeatAgeSeconds: heartbeat ? ageNow(sample, heartbeat.ageSeconds) : null,
    complete: row ? lacking.length === 0 : null,
    incompleteReason: lacking.length > 0 ? lacking.join(', ') : null,
    copies: sample.copies
      .filter(({ provider }) => provider === stream.provider)
      .map((copy) => ({ ...copy, secondsLeft: secondsLeft(copy) })),
    verified: sample.verified
      .filter(({ provider }) => provider === stream.provider)
      .map((one) => ({
        table: `${one.schema}.${one.name}`,
        state: one.state,
        rows: one.walked,
        bytes: one.bytes,
        through: one.verifiedThrough?.toISOString() ?? null,
        differing: one.differing,
      })),
    transactionsApplied: totals.transactions,
    rowsApplied: [...totals.rows.values()].reduce(
      (sum, rows) => sum + rows.insert + rows.update + rows.delete,
      0,
    ),
    parked: parked.map(({ table, reason, count }) => ({ table, reason, count })),
    blocked: blocked.map(blockedStatus),
    partial: sample.partial
      .filter(({ provider }) => provider === stream.provider)
      .map((one) => ({
        table: one.table,
        columns: one.columns.map(({ name }) => name),
        seconds: one.seconds,
        mend: addColumns(one, one.columns),
      })),
    reconnects: Math.max(0, totals.connections - 1),
  };
}

function blockedStatus(one: Blocked): StreamStatus['blocked'][number] {
  const { table, drift } = one;
  const { cause = null, column = null, sqlstate = null } = drift ?? {};
  return drift
    ? { table, reason: 'drifted', cause, column, sqlstate, advice: adviceForDrift(one, drift) }
    : { table, reason: 'parked', cause, column, sqlstate, advice: adviceForBlocked };
}

/** Not equal yet; keys a person has seen, of a copy that was complete, are no more than verify says of them. */
function isRepair({ provider, state, reason }: Copy, stream: string): boolean {
  return provider === stream && state !== 'done' && reason !== 'mend';
}

/** Of a copy under way, at its pace so far; an estimate of rows that fell short says nothing. */
export function secondsLeft(
  copy: Pick<Copy, 'state' | 'rows' | 'estimatedRows' | 'seconds'>,
): number | null {
  const { state, rows, estimatedRows, seconds } = copy;
  return state !== 'running' ||
    estimatedRows === null ||
    seconds === null ||
    rows === 0 ||
    rows > estimatedRows
    ? null
    : (seconds * (estimatedRows - rows)) / rows;
}

/** Bytes of log from a position to the end known; never negative. */
export function behind(end: Lsn, position: Lsn): number {
  return end > position ? Number(end - position) : 0;
}

function problemOf(code: ErrorCode, context: ErrorContext): StatusProblem {
  return {
    code,
    text: textOf(code),
    advice: adviceOf(code),
    context: Object.fromEntries(
      Object.entries(context).map(([name, value]) => [
        name,
        typeof value === 'bigint' ? String(value) : (value ?? null),
      ]),
    ),
  };
}
