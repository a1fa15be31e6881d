/** What the page shows: processes, links, what each node says of itself, and rows per table, gathered in rounds. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Federation } from '../site/federation.ts';
import type { Site } from '../site/site.ts';
import { comparedTables } from '../verdict/table.ts';
import { nameOf } from '../verdict/fingerprint.ts';

/** Rows of a table at a place: all, and those its own filter calls approved. */
export interface RowCount {
  readonly table: string;
  readonly rows: number;
  readonly approved: number;
}

export interface PlaceView {
  readonly name: string;
  readonly title: string;
  readonly level: string;
  readonly parent: string | null;
  /** The node's own page. */
  readonly address: string;
  readonly node: 'running' | 'stopped';
  readonly database: 'running' | 'stopped';
  readonly link: 'open' | 'cut' | 'silent' | null;
  readonly bytes: number;
  /** What GET /api/status of the node answered; null: nothing, now. */
  readonly status: unknown;
  /** As last counted; null: never. */
  readonly rows: readonly RowCount[] | null;
}

const everyMs = 1000;
const rowsEveryRounds = 3;

export class Survey {
  readonly #federation: Federation;
  readonly #status = new Map<string, unknown>();
  readonly #rows = new Map<string, readonly RowCount[]>();

  constructor(federation: Federation) {
    this.#federation = federation;
  }

  places(): readonly PlaceView[] {
    return this.#federation.sites.map((site) => ({
      ...site.place,
      address: `http://127.0.0.1:${site.httpPort}/`,
      node: site.node.running ? 'running' : 'stopped',
      database: site.database.running ? 'running' : 'stopped',
      link: site.link?.state ?? null,
      bytes: site.link?.bytes ?? 0,
      status: this.#status.get(site.place.name) ?? null,
      rows: this.#rows.get(site.place.name) ?? null,
    }));
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let round = 0; !signal.aborted; round += 1) {
      await Promise.all(
        this.#federation.sites.map(async (site) => {
          this.#status.set(site.place.name, await site.status(signal));
          if (round % rowsEveryRounds === 0) {
            await this.#count(site);
          }
        }),
      );
      await pause(everyMs, undefined, { signal }).catch(() => {});
    }
  }

  /** A database that is away keeps its last figures. */
  async #count(site: Site): Promise<void> {
    if (!site.database.running) {
      return;
    }
    const tables = comparedTables.map(
      ({ name, approved }, index) =>
        `select ${index} as number, '${name}' as table, count(id)::integer as rows,
           (count(id) filter (where ${approved ?? 'true'}))::integer as approved
         from ${nameOf({ name, approved })}`,
    );
    try {
      const { rows } = await site.database.execute(`${tables.join(' union all ')} order by 1`);
      this.#rows.set(site.place.name, rows as RowCount[]);
    } catch {
      // killed or starting: counted again in the next round
    }
  }
}
