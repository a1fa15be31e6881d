import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadTopology } from '../config/load.ts';
import { nodeOf } from '../config/tree.ts';
import { stoppedStream } from '../supervise/stream-report.ts';
import type { Finding } from './finding.ts';
import { observe } from './observe.ts';
import { Metrics } from './registry.ts';
import type { Sample } from './sample.ts';
import type { Snapshot } from './snapshot.ts';

const topology = await loadTopology('topology/example.yaml');

function origin(name: string, ageSeconds: number | null): Sample['freshness'][number] {
  return { origin: name, through: null, ageSeconds, complete: true, reason: null, via: name };
}

function heartbeat(name: string, state: unknown): Sample['subtree'][number] {
  return { origin: name, version: '1', topology: 'abc', state };
}

async function linesOf(sample: Partial<Sample>, more: Partial<Snapshot> = {}): Promise<string[]> {
  const snapshot: Snapshot = {
    topology,
    node: nodeOf(topology, 'nation'),
    version: '1',
    pid: 1,
    topologyProblems: [],
    leader: 'leading',
    serving: true,
    problem: null,
    streams: [],
    sample: {
      at: performance.now(),
      error: null,
      freshness: [],
      streams: [],
      subtree: [],
      copies: [],
      verified: [],
      parked: [],
      blocked: [],
      partial: [],
      doubts: [],
      slots: [],
      walWrittenBytes: null,
      walDirectoryBytes: null,
      disk: null,
      rates: null,
      ...sample,
    },
    findings: [],
    probes: [],
    walsendersEnded: 0,
    ...more,
  };
  const metrics = new Metrics();
  observe(metrics, snapshot);
  const text = await metrics.text();
  return text.split('\n').filter((line) => line.startsWith('tributary_'));
}

void test('an origin never heard of is known by name and level, and has no age', async () => {
  const lines = await linesOf({ freshness: [origin('north', null)] });
  assert.ok(lines.includes('tributary_origin_info{origin="north",level="region",via="north"} 1'));
  assert.ok(!lines.some((line) => line.startsWith('tributary_origin_heartbeat_age_seconds')));
});

void test('a heartbeat from the future shows a clock ahead, and an age of zero', async () => {
  const lines = await linesOf({ freshness: [origin('north', -7), origin('south', 2)] });
  assert.deepEqual(
    lines.filter((line) => line.startsWith('tributary_origin_clock_ahead_seconds')),
    ['tributary_origin_clock_ahead_seconds{origin="north"} 7'],
  );
  assert.ok(lines.includes('tributary_origin_heartbeat_age_seconds{origin="north"} 0'));
});

void test('a retired node is neither expected to be heard of nor alerted about for ever', async () => {
  const nodes = topology.nodes.map((node) => ({ ...node, retired: node.name === 'awash' }));
  const state = { disk: { total: 10, free: 1 } };
  const lines = await linesOf(
    {
      freshness: [origin('awash', 9_000_000), origin('bahir', 1)],
      subtree: [heartbeat('awash', state), heartbeat('bahir', state)],
    },
    { topology: { ...topology, nodes } },
  );
  assert.ok(lines.includes('tributary_subtree_disk_free_bytes{origin="bahir"} 1'));
  assert.deepEqual(
    lines.filter((line) => /^tributary_(subtree|origin_info).*"awash"/.test(line)),
    [],
  );
});

void test('a copy tells state, rows and estimate; what is not known of it is absent', async () => {
  const copy = {
    provider: 'north',
    table: 'public.case_report',
    state: 'running',
    reason: 'first_copy',
    rows: 500,
    estimatedRows: 2000,
    sentRows: 500,
    repairedRows: 0,
    bytes: 1000,
    seconds: 10,
  };
  const wanted = {
    ...copy,
    table: 'public.facility',
    state: 'wanted',
    estimatedRows: null,
    seconds: null,
  };
  const gone = { ...copy, provider: 'south', state: 'held' };
  const streams = [stoppedStream('north')];
  const lines = await linesOf({ copies: [copy, wanted, gone] }, { streams });
  const labels = 'stream="north",table="public.case_report"';
  for (const line of [
    `tributary_copy_state{${labels},state="running"} 1`,
    `tributary_copy_state{${labels},state="done"} 0`,
    `tributary_copy_rows{${labels}} 500`,
    `tributary_copy_estimated_rows{${labels}} 2000`,
  ]) {
    assert.ok(lines.includes(line), line);
  }
  // South has left the file: nobody can mend what was found of it.
  assert.ok(!lines.some((line) => line.includes('south')));
  assert.equal(lines.filter((line) => line.startsWith('tributary_copy_seconds')).length, 1);
  assert.equal(lines.filter((line) => line.startsWith('tributary_copy_estimated_rows')).length, 1);
});

void test('findings are counted by code, here and below', async () => {
  const lost = { severity: 'error', code: 'identity_lost' } as const;
  const finding = (object: string): Finding => ({ ...lost, object, problem: '', advice: '' });
  const lines = await linesOf(
    { subtree: [heartbeat('north', { findings: [{ ...lost, object: 'public.facility' }] })] },
    { findings: [finding('public.facility'), finding('public.attachment')] },
  );
  assert.ok(lines.includes('tributary_findings_by_code{code="identity_lost",severity="error"} 2'));
  assert.ok(
    lines.includes(
      'tributary_subtree_findings{origin="north",code="identity_lost",severity="error"} 1',
    ),
  );
});
