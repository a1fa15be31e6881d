import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from './registry.ts';

async function lines(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.text();
  return text.split('\n').filter((line) => line.startsWith(name));
}

void test('what is unknown is absent, not zero', async () => {
  const metrics = new Metrics();
  metrics.clear();
  metrics.set('tributary_stream_applied_lag_bytes', null, { stream: 'north' });
  metrics.set('tributary_wal_directory_bytes', null);
  assert.deepEqual(await lines(metrics, 'tributary_'), []);
  metrics.set('tributary_stream_applied_lag_bytes', 0, { stream: 'north' });
  assert.deepEqual(await lines(metrics, 'tributary_'), [
    'tributary_stream_applied_lag_bytes{stream="north"} 0',
  ]);
});

void test('a snapshot replaces the one before: counters are not added up, what went is gone', async () => {
  const metrics = new Metrics();
  for (const [count, stream] of [
    [5, 'north'],
    [7, 'south'],
  ] as const) {
    metrics.clear();
    metrics.set('tributary_stream_transactions_applied_total', count, { stream });
    metrics.set('tributary_leader', true);
  }
  assert.deepEqual(await lines(metrics, 'tributary_'), [
    'tributary_leader 1',
    'tributary_stream_transactions_applied_total{stream="south"} 7',
  ]);
});

void test('names follow the conventions: counters end in _total, nothing counts in milliseconds', async () => {
  const text = await new Metrics().text();
  const types = [...text.matchAll(/^# TYPE (tributary_\S+) (\S+)$/gm)];
  assert.ok(types.length > 20);
  for (const [, name = '', type] of types) {
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    assert.doesNotMatch(name, /_ms|_milliseconds|_kb|_mb/);
  }
});
