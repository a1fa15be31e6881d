/** A session at a subscriber that waits for the end of a lap. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { until } from '../../node/testing/until.ts';

export class Watch implements AsyncDisposable {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async open(url: string): Promise<Watch> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return new Watch(client);
  }

  /** What the lap before left to write does not count against this one. */
  async settle(): Promise<void> {
    await this.#client.query('checkpoint');
    await pause(500);
  }

  /** Milliseconds since 1970 when the marker was seen. */
  async arrival(marker: number): Promise<number> {
    const seen = { name: 'seen', text: 'select from public.marker where n = $1', values: [marker] };
    await until(async () => (await this.#client.query(seen)).rows.length > 0, {
      what: 'the backlog is drained',
      ms: 600_000,
      everyMs: 5,
    });
    return Date.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}
