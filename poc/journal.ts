/** What happened lately: faults and commands for the page, and the last lines each node wrote, for when a run fails. */

const keptEvents = 10;
const keptLines = 12;

export class Journal {
  readonly #events: string[] = [];
  readonly #lines = new Map<string, string[]>();

  event(text: string): void {
    this.#events.unshift(text);
    this.#events.length = Math.min(this.#events.length, keptEvents);
  }

  /** A line a node wrote. */
  wrote(place: string, line: string): void {
    const lines = this.#lines.get(place) ?? [];
    lines.push(line);
    this.#lines.set(place, lines.slice(-keptLines));
  }

  /** Newest first. */
  get events(): readonly string[] {
    return this.#events;
  }

  lastWords(): string[] {
    return [...this.#lines].flatMap(([place, lines]) => lines.map((line) => `${place}: ${line}`));
  }
}
