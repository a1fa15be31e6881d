import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { glob, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { readRules } from './alert-rules.ts';
import { unknownNames } from './unknown-names.ts';

const { alerts, recordings } = await readRules('monitoring/alerts.yml');
const recorded = new Set(recordings.map((rule) => rule.record));

void test('every alert has its runbook, and every runbook its alert', async () => {
  const pages: string[] = [];
  for await (const path of glob('docs/runbooks/*.md')) {
    pages.push(basename(path, '.md'));
  }
  assert.deepEqual(pages.sort(), alerts.map(({ alert }) => alert).sort());
  for (const { alert, annotations } of alerts) {
    assert.equal(annotations.runbook, `docs/runbooks/${alert}.md`);
    const page = await readFile(annotations.runbook, 'utf8');
    const titles = [...page.matchAll(/^#+ (.+)$/gm)].map((match) => match[1]);
    assert.deepEqual(titles, [alert, 'What it means', 'What to look at', 'What to type']);
  }
});

void test('rules and runbooks name only metrics and labels that a node exports', async () => {
  for (const { expr } of [...alerts, ...recordings]) {
    assert.deepEqual(unknownNames(expr, recorded), [], expr);
  }
  for (const { annotations } of alerts) {
    const page = await readFile(annotations.runbook, 'utf8');
    for (const [, name = ''] of page.matchAll(/`(tributary[_:][a-z_]+)`/g)) {
      assert.deepEqual(unknownNames(name, recorded), [], annotations.runbook);
    }
  }
});

void test('a name that nobody exports, a label a metric does not have and a broken expression are found', () => {
  assert.deepEqual(unknownNames('tributary_ready + tributary_raedy', recorded), [
    'tributary_raedy',
  ]);
  assert.deepEqual(unknownNames('rate(tributary_stream_state{slot_name="x"}[5m])', recorded), [
    'tributary_stream_state{slot_name}',
  ]);
  assert.throws(() => unknownNames('sum by (tributary_ready', recorded), /not PromQL/);
});

void test('for every alert there is a test in which it fires', async () => {
  const text = await readFile('monitoring/alerts.test.yml', 'utf8');
  const fires = new Set([...text.matchAll(/alertname="(\w+)"/g)].map((match) => match[1]));
  const lacking = alerts.filter(({ alert }) => !fires.has(alert));
  assert.deepEqual(lacking, []);
  assert.ok(text.includes('exp_samples: []'));
});

void test('the rule file is one that Prometheus loads, and Alertmanager can be told of it', async () => {
  const configuration = parse(await readFile('monitoring/prometheus.yml', 'utf8')) as {
    readonly rule_files: readonly string[];
  };
  assert.deepEqual(configuration.rule_files, ['alerts.yml']);
  const routing = await readFile('monitoring/alertmanager.yml', 'utf8');
  const known = new Set(alerts.map(({ alert }) => alert));
  for (const [name] of routing.matchAll(/\bTributary[A-Z]\w+/g)) {
    assert.ok(known.has(name), name);
  }
});

void test('promtool finds each alert firing and silent as its tests say', async (t) => {
  const run = promisify(execFile);
  if (!(await run('promtool', ['--version']).catch(() => null))) {
    t.skip('promtool is not installed (on Debian: package prometheus)');
    return;
  }
  await run('promtool', ['check', 'config', 'monitoring/prometheus.yml']);
  const { stdout } = await run('promtool', ['test', 'rules', 'monitoring/alerts.test.yml']);
  assert.match(stdout, /SUCCESS/);
});
