/**
 * Incidents over a running tree that a real Prometheus scrapes: a condition is caused, the alerts that name it fire and
 * the panels that show it change, it is mended, and the alerts resolve. What was seen is kept, so that nothing is left out.
 */
import { type Change, type PanelName, showing } from './panel-values.ts';
import type { Prometheus, Series } from './prometheus.ts';
import { until } from './until.ts';

export interface Incident {
  readonly what: string;
  /** Labels each alert must bear, `alertname` among them. */
  readonly alerts: readonly Readonly<Record<string, string>>[];
  /** Panels that must change, and how; `node`: the one chosen at the head of a dashboard. */
  readonly panels: readonly (readonly [PanelName, Change])[];
  readonly node: string;
  readonly cause: () => Promise<unknown>;
  readonly mend: () => Promise<unknown>;
  /** How long firing, and then resolving, may take. */
  readonly ms?: number;
}

export class Incidents {
  readonly #prometheus: Prometheus;
  readonly alertsSeen = new Set<string>();
  readonly panelsSeen = new Set<PanelName>();

  constructor(prometheus: Prometheus) {
    this.#prometheus = prometheus;
  }

  /** Mends in any case. @throws Error naming what did not fire, change or resolve. */
  async happen(incident: Incident): Promise<void> {
    const { what, alerts, panels, mend, ms = 120_000 } = incident;
    try {
      await this.#cause(incident, ms);
    } finally {
      await mend();
    }
    const standing = new Set(alerts.map((alert) => JSON.stringify(alert)));
    await this.#until(`${what}: resolves`, standing, ms, async () => {
      await this.#silenced(alerts, standing);
    });
    alerts.forEach(({ alertname = '' }) => this.alertsSeen.add(alertname));
    panels.forEach(([name]) => this.panelsSeen.add(name));
  }

  async #cause({ what, alerts, panels, node, cause }: Incident, ms: number): Promise<void> {
    // What another incident brought with it may take its time to end.
    const loud = new Set(alerts.map((alert) => JSON.stringify(alert)));
    await this.#until(`${what}: silent before it is caused`, loud, ms, async () => {
      await this.#silenced(alerts, loud);
    });
    // What an incident before this one still shows may end meanwhile, and hide the change if only the first look counted.
    const before = new Map<PanelName, (readonly Series[])[]>();
    for (const [name] of panels) {
      before.set(name, [await showing(this.#prometheus, name, node)]);
    }
    await cause();
    const awaited = new Set<string>([
      ...alerts.map((alert) => JSON.stringify(alert)),
      ...panels.map(([name]) => name),
    ]);
    await this.#until(`${what}: fires and is shown`, awaited, ms, async () => {
      for (const alert of alerts) {
        if ((await this.#firing(alert)).length > 0) {
          awaited.delete(JSON.stringify(alert));
        }
      }
      for (const [name, change] of panels.filter(([name]) => awaited.has(name))) {
        const now = await showing(this.#prometheus, name, node);
        const looks = before.get(name) ?? [];
        if (looks.some((look) => change(look, now))) {
          awaited.delete(name);
        }
        looks.push(now);
      }
    });
  }

  async #silenced(alerts: Incident['alerts'], standing: Set<string>): Promise<void> {
    for (const alert of alerts) {
      if ((await this.#firing(alert)).length === 0) {
        standing.delete(JSON.stringify(alert));
      }
    }
  }

  async #firing(labels: Readonly<Record<string, string>>): Promise<readonly Series[]> {
    const matchers = Object.entries({ ...labels, alertstate: 'firing' });
    const text = matchers.map(([name, value]) => `${name}="${value}"`).join(',');
    return await this.#prometheus.query(`ALERTS{${text}}`);
  }

  async #until(
    what: string,
    left: ReadonlySet<string>,
    ms: number,
    look: () => Promise<void>,
  ): Promise<void> {
    try {
      await until(
        async () => {
          await look();
          return left.size === 0;
        },
        { what, ms, everyMs: 500 },
      );
    } catch (error) {
      throw new Error(`${what}: in vain for ${[...left].join(', ')}`, { cause: error });
    }
  }
}
