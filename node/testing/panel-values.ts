/** What the panels of the dashboards show, asked of a real Prometheus, and how one showing differs from another. */
import { dashboards } from '../../monitoring/dashboards/all.ts';
import type { Panel } from '../../monitoring/dashboards/panel.ts';
import type { Prometheus, Series } from './prometheus.ts';

/** `Network: Streams that do not run`. */
export type PanelName = string;

const panels: ReadonlyMap<PanelName, Panel> = new Map(
  dashboards.flatMap(({ title, rows }) =>
    rows.flatMap((row) => row.panels.map((panel) => [`${title}: ${panel.title}`, panel] as const)),
  ),
);

export const panelNames: readonly PanelName[] = [...panels.keys()];

/** What it shows for the chosen node now; every query of it. @throws Error when Prometheus refuses one, or for no panel. */
export async function showing(
  prometheus: Prometheus,
  name: PanelName,
  node: string,
): Promise<readonly Series[]> {
  const panel = panels.get(name);
  if (!panel) {
    throw new Error(`no panel ${name}`);
  }
  const answers = await Promise.all(
    panel.queries.map(
      async ({ expr }) =>
        await prometheus.query(
          expr.replaceAll('$__rate_interval', '15s').replaceAll('$node', node),
        ),
    ),
  );
  return answers.flat();
}

export type Change = (before: readonly Series[], now: readonly Series[]) => boolean;

const total = (series: readonly Series[]): number =>
  series.reduce((sum, { value }) => sum + value, 0);

export const rises: Change = (before, now) => total(now) > total(before);
export const falls: Change = (before, now) => now.length > 0 && total(now) < total(before);
export const appears: Change = (before, now) => now.length > before.length;
/** More than none. */
export const counts: Change = (_before, now) => total(now) > 0;
/** An alert that was not named before. */
export const names =
  (alert: string): Change =>
  (before, now) =>
    isNamed(now, alert) && !isNamed(before, alert);
/** Other series, or a series with another value. */
export const differs: Change = (before, now) => text(before) !== text(now);

function isNamed(series: readonly Series[], alert: string): boolean {
  return series.some(({ labels }) => labels['alertname'] === alert);
}

function text(series: readonly Series[]): string {
  return series
    .map(({ labels, value }) => `${JSON.stringify(labels, Object.keys(labels).sort())} ${value}`)
    .sort()
    .join('\n');
}
