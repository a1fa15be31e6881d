import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { test } from 'node:test';
import { readRules } from '../alert-rules.ts';
import { selectorsOf } from '../promql.ts';
import { unknownNames } from '../unknown-names.ts';
import { dashboards, fileOf } from './all.ts';
import type { Panel } from './panel.ts';
import { render } from './render.ts';

const { alerts, recordings } = await readRules('monitoring/alerts.yml');
const recorded = new Set(recordings.map((rule) => rule.record));

const panels: readonly Panel[] = dashboards.flatMap(({ rows }) =>
  rows.flatMap((row) => row.panels),
);

/** As Grafana fills it in. */
function filled(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll('$node', 'north');
}

void test('the files are what `npm run docs` writes, and there are no others', async () => {
  const files = await readdir('monitoring/grafana/dashboards');
  assert.deepEqual(files.sort(), dashboards.map((dashboard) => basename(fileOf(dashboard))).sort());
  for (const dashboard of dashboards) {
    assert.equal(await readFile(fileOf(dashboard), 'utf8'), render(dashboard));
  }
});

void test('every expression is PromQL over metrics and labels that a node exports', () => {
  for (const { title, queries } of panels) {
    assert.ok(queries.length > 0, title);
    for (const { expr } of queries) {
      const others = unknownNames(filled(expr), recorded).filter((name) => !/^ALERTS\b/.test(name));
      assert.deepEqual(others, [], `${title}: ${expr}`);
      assert.doesNotMatch(filled(expr), /\$(?!1)/);
    }
  }
});

void test('the choices of a variable are labels of a series that exists', () => {
  for (const { name, from } of dashboards.flatMap(({ variables }) => variables)) {
    assert.deepEqual(unknownNames(from.series, recorded), []);
    const inUse = panels.some(({ queries }) =>
      queries.some(({ expr }) => expr.includes(`$${name}`)),
    );
    assert.ok(inUse, name);
  }
});

void test('every panel says what is to be seen, and names only runbooks that exist', () => {
  const known = new Set(alerts.map(({ alert }) => alert));
  for (const { title, description } of panels) {
    assert.ok(description.endsWith('.'), title);
    for (const [name] of description.matchAll(/\bTributary[A-Z]\w+/g)) {
      assert.ok(known.has(name), `${title}: ${name}`);
    }
  }
});

void test('a legend names labels that the result has, where the expression says which those are', () => {
  for (const { title, queries } of panels) {
    for (const { expr, legend = '' } of queries) {
      const kept = /^(?:sort_desc\()?(?:sum|min|max) by \(([^)]+)\)/.exec(expr)?.[1]?.split(', ');
      const named = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? '');
      if (kept) {
        assert.deepEqual(
          named.filter((label) => !kept.includes(label)),
          [],
          title,
        );
      }
      assert.ok(selectorsOf(filled(expr)).length > 0);
    }
  }
});
