import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatusReport, StreamStatus } from '../monitor/status-report.ts';
import { judge } from './verdict.ts';

const stream: StreamStatus = {
  provider: 'north',
  state: 'streaming',
  since: '2026-01-01T00:00:00.000Z',
  problem: null,
  doubts: [],
  doubtsMet: [],
  failures: 0,
  retryInMs: null,
  connected: true,
  position: '0/1',
  received: '0/1',
  confirmed: '0/1',
  lagBytes: 0,
  queuedBytes: 0,
  heartbeatAgeSeconds: 1,
  complete: true,
  incompleteReason: null,
  copies: [],
  verified: [],
  transactionsApplied: 0,
  rowsApplied: 0,
  parked: [],
  blocked: [],
  partial: [],
  reconnects: 0,
};

const partial = [{ table: 'public.case_report', columns: ['note'], seconds: 1, mend: '' }];
const blocked = [
  {
    table: 'public.case_report',
    reason: 'parked',
    cause: null,
    column: null,
    sqlstate: null,
    advice: '',
  } as const,
];

const differing = {
  table: 'public.case_report',
  state: 'done',
  rows: 10,
  bytes: 10,
  through: '2026-01-01T00:00:00.000Z',
  differing: 2,
};

const origin = {
  origin: 'north',
  through: '2026-01-01T00:00:00.000Z',
  ageSeconds: 1,
  complete: true,
  reason: null,
  via: 'north',
  retired: false,
};

const slot = {
  name: 'tributary_x',
  type: 'logical',
  active: true,
  walStatus: 'reserved',
  retainedBytes: 1,
  unconfirmedBytes: 1,
  safeWalBytes: null,
};

const well: StatusReport = {
  node: 'nation',
  title: 'Nation',
  level: 'nation',
  parent: null,
  version: '1',
  pid: 1,
  at: '2026-01-01T00:00:00.000Z',
  heartbeatMs: 30_000,
  topology: { file: 'x', digest: 'x', valid: true, problems: [] },
  leader: 'leading',
  ready: true,
  problem: null,
  database: { up: true, walDirectoryBytes: null },
  streams: [stream],
  freshness: [origin],
  slots: [slot],
  disk: { path: '/', totalBytes: 100, freeBytes: 50 },
  forecast: { diskSeconds: null, offlineSeconds: null, slots: [] },
  probes: [],
  findings: [],
};

const probe = {
  name: 'web',
  kind: 'http' as const,
  up: true,
  reason: null,
  since: '2026-01-01T00:00:00.000Z',
  seconds: 0.1,
  certificateExpires: null,
};

const cases: readonly (readonly [string, Partial<StatusReport>, string])[] = [
  ['all is well', {}, 'ok'],
  ['an application is online', { probes: [probe] }, 'ok'],
  ['an application is down', { probes: [{ ...probe, up: false, reason: 'http_503' }] }, 'warning'],
  [
    'a certificate ends within two weeks',
    { probes: [{ ...probe, certificateExpires: '2026-01-14T23:00:00.000Z' }] },
    'warning',
  ],
  [
    'a certificate holds for more than two weeks',
    { probes: [{ ...probe, certificateExpires: '2026-01-15T01:00:00.000Z' }] },
    'ok',
  ],
  [
    'no process, no database',
    { pid: null, database: { up: false, walDirectoryBytes: null } },
    'unknown',
  ],
  ['no process, but its database', { pid: null }, 'critical'],
  ['the second of two processes', { leader: 'waiting', ready: false }, 'warning'],
  ['not ready', { ready: false }, 'critical'],
  ['a bad file', { topology: { ...well.topology, valid: false, problems: ['x'] } }, 'warning'],
  ['a stream tried again', { streams: [{ ...stream, state: 'retrying' }] }, 'warning'],
  ['a stream that needs a person', { streams: [{ ...stream, state: 'person' }] }, 'critical'],
  ['a table left alone', { streams: [{ ...stream, blocked }] }, 'critical'],
  ['a table that lacks a column', { streams: [{ ...stream, partial }] }, 'warning'],
  [
    'a table that was found to differ',
    { streams: [{ ...stream, verified: [differing] }] },
    'warning',
  ],
  [
    'a table that was found to be equal',
    { streams: [{ ...stream, verified: [{ ...differing, differing: 0 }] }] },
    'ok',
  ],
  ['an origin never heard of', { freshness: [{ ...origin, ageSeconds: null }] }, 'warning'],
  ['an origin long silent', { freshness: [{ ...origin, ageSeconds: 301 }] }, 'warning'],
  [
    'a closed place not heard of',
    { freshness: [{ ...origin, retired: true, ageSeconds: 99_999, complete: false }] },
    'ok',
  ],
  ['an origin not complete', { freshness: [{ ...origin, complete: false }] }, 'warning'],
  ['a slot near its bound', { slots: [{ ...slot, walStatus: 'unreserved' }] }, 'critical'],
  ['a slot lost', { slots: [{ ...slot, walStatus: 'lost' }] }, 'critical'],
  ['a disk nearly full', { disk: { path: '/', totalBytes: 100, freeBytes: 9 } }, 'warning'],
];

for (const [title, change, verdict] of cases) {
  void test(`${title}: ${verdict}`, () => {
    const judgement = judge({ ...well, ...change });
    assert.equal(judgement.verdict, verdict);
    assert.equal(judgement.reasons.length > 0, verdict !== 'ok');
  });
}

void test('the most serious reason comes first', () => {
  const { reasons } = judge({
    ...well,
    freshness: [{ ...origin, ageSeconds: null }],
    slots: [{ ...slot, walStatus: 'lost' }],
  });
  assert.match(reasons[0] ?? '', /lost/);
});
