/** A dashboard as Grafana 11 and later reads it (the classic JSON model, schema 39). Pure. */
import type { Dashboard, Panel, Query, Row, Variable } from './panel.ts';

const datasource = { type: 'prometheus', uid: '${datasource}' };
const columns = 24;

/** @throws Error, if the panels of a row are wider than the page. */
export function render(dashboard: Dashboard): string {
  const { uid, title, description, variables, rows } = dashboard;
  const model = {
    uid,
    title,
    description,
    tags: ['tributary'],
    schemaVersion: 39,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    links: [linkToAll()],
    templating: { list: [sourceVariable(), ...variables.map(variable)] },
    annotations: { list: [] },
    panels: placed(rows),
  };
  return `${JSON.stringify(model, null, 2)}\n`;
}

function placed(rows: readonly Row[]): object[] {
  const all: object[] = [];
  let y = 0;
  for (const { title, height, panels } of rows) {
    all.push({
      id: all.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    for (const panel of panels) {
      if (x + panel.width > columns) {
        throw new Error(`row ${title} is wider than the page`);
      }
      all.push({
        id: all.length + 1,
        gridPos: { x, y, w: panel.width, h: height },
        ...panelModel(panel),
      });
      x += panel.width;
    }
    y += height;
  }
  return all;
}

function panelModel(panel: Panel): object {
  const { kind, title, description, queries } = panel;
  return {
    type: kind,
    title,
    description,
    datasource,
    targets: queries.map((query, index) => target(panel, query, index)),
    fieldConfig: { defaults: defaultsOf(panel), overrides: [] },
    options: optionsOf(panel),
    ...(kind === 'table' ? { transformations: [organised(panel)] } : {}),
  };
}

function target({ kind }: Panel, { expr, legend }: Query, index: number): object {
  const moment = kind !== 'timeseries' && kind !== 'state-timeline';
  return {
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource,
    expr,
    editorMode: 'code',
    format: kind === 'table' ? 'table' : 'time_series',
    instant: moment,
    range: !moment,
    legendFormat: legend ?? '__auto',
  };
}

function defaultsOf({ kind, unit, thresholds, words }: Panel): object {
  const steps = thresholds ?? [{ value: null, color: kind === 'timeseries' ? 'green' : 'text' }];
  const mapped = Object.fromEntries(
    (words ?? []).map(({ value, text, color }, index) => [String(value), { text, color, index }]),
  );
  return {
    unit,
    color: { mode: kind === 'timeseries' ? 'palette-classic' : 'thresholds' },
    thresholds: { mode: 'absolute', steps },
    mappings: words ? [{ type: 'value', options: mapped }] : [],
    ...(kind === 'timeseries'
      ? { min: 0, custom: { drawStyle: 'line', lineWidth: 1, fillOpacity: 10, spanNulls: false } }
      : {}),
    ...(kind === 'state-timeline' ? { custom: { fillOpacity: 80, lineWidth: 0 } } : {}),
    ...(kind === 'table' ? { custom: { cellOptions: { type: 'color-text' } } } : {}),
  };
}

function optionsOf({ kind }: Panel): object {
  const last = { calcs: ['lastNotNull'], fields: '', values: false };
  switch (kind) {
    case 'stat':
      return { reduceOptions: last, colorMode: 'value', graphMode: 'none', textMode: 'auto' };
    case 'bargauge':
      return { reduceOptions: last, orientation: 'horizontal', displayMode: 'basic' };
    case 'timeseries':
      return {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
    case 'state-timeline':
      return { mergeValues: true, showValue: 'auto', rowHeight: 0.9 };
    case 'table':
      return { showHeader: true, cellHeight: 'sm' };
  }
}

/** Columns in their order, the rest hidden. */
function organised({ columns = [], valueTitle = 'value' }: Panel): object {
  const order = [...columns, 'Value'];
  return {
    id: 'organize',
    options: {
      includeByName: Object.fromEntries(order.map((name) => [name, true])),
      indexByName: Object.fromEntries(order.map((name, index) => [name, index])),
      renameByName: { Value: valueTitle },
    },
  };
}

function sourceVariable(): object {
  return {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    current: { text: 'Prometheus', value: 'prometheus' },
  };
}

function variable({ name, label, from }: Variable): object {
  const query = `label_values(${from.series}, ${from.label})`;
  return {
    name,
    label,
    type: 'query',
    datasource,
    query: { query, refId: 'PrometheusVariableQueryEditor-VariableQuery' },
    definition: query,
    refresh: 2,
    sort: 1,
    includeAll: false,
    multi: false,
  };
}

function linkToAll(): object {
  return {
    title: 'Tributary',
    type: 'dashboards',
    tags: ['tributary'],
    asDropdown: false,
    includeVars: false,
    keepTime: true,
  };
}
