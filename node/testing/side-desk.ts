/** A clerk's facilities (text key, no filter) and laboratory results (identity full, nullable filter). */
import { type Clerk, text } from './clerk.ts';

export class SideDesk {
  readonly #clerk: Clerk;
  #laboratory = new Map<string, boolean | null>();
  #facilities = new Set<string>();

  constructor(clerk: Clerk) {
    this.#clerk = clerk;
  }

  async reload(): Promise<void> {
    const results = await this.#clerk.rows<{ id: string; released: boolean | null }>(
      `select id, released from public.laboratory_result where entered_by = $1`,
      [this.#clerk.name],
    );
    this.#laboratory = new Map(results.map(({ id, released }) => [id, released]));
    const facilities = await this.#clerk.rows<{ code: string }>(
      `select code from public.facility where code like $1`,
      [`${this.#clerk.name}-%`],
    );
    this.#facilities = new Set(facilities.map(({ code }) => code));
  }

  /** How to forget all that is done from here on. */
  remember(): () => void {
    const laboratory = new Map(this.#laboratory);
    const facilities = new Set(this.#facilities);
    return () => {
      this.#laboratory = laboratory;
      this.#facilities = facilities;
    };
  }

  anyFacility(): string | null {
    return this.#facilities.size > 0 ? this.#clerk.random.pick([...this.#facilities]) : null;
  }

  async facility(): Promise<boolean> {
    const code = `${this.#clerk.name}-${text(this.#clerk.random, 4)}`;
    await this.#clerk.run(
      `insert into public.facility (code, name, beds) values ($1, $2, $3)
       on conflict (code) do update set name = excluded.name, beds = excluded.beds`,
      [code, text(this.#clerk.random, 20), this.#clerk.random.below(500)],
    );
    this.#facilities.add(code);
    return true;
  }

  async facilityKey(): Promise<boolean> {
    if (this.#facilities.size === 0) {
      return false;
    }
    const code = this.#clerk.random.pick([...this.#facilities]);
    const next = `${this.#clerk.name}-${text(this.#clerk.random, 4)}`;
    if (this.#facilities.has(next)) {
      return false;
    }
    await this.#clerk.run(`update public.facility set code = $2 where code = $1`, [code, next]);
    this.#facilities.delete(code);
    this.#facilities.add(next);
    return true;
  }

  /** Of the table with identity full and a nullable filter: enter, release, hold back, unknown, edit, delete. */
  async laboratory(): Promise<boolean> {
    const id =
      this.#laboratory.size > 0 ? this.#clerk.random.pick([...this.#laboratory.keys()]) : null;
    if (id === null || this.#clerk.random.chance(0.4)) {
      await this.#enterResult();
    } else if (this.#clerk.random.chance(0.15)) {
      await this.#clerk.run(`delete from public.laboratory_result where id = $1`, [id]);
      this.#laboratory.delete(id);
    } else if (this.#clerk.random.chance(0.3)) {
      await this.#clerk.run(`update public.laboratory_result set value = $2 where id = $1`, [
        id,
        this.#clerk.random.next(),
      ]);
    } else {
      const released = this.#clerk.random.pick([true, true, false, null]);
      const sql = `update public.laboratory_result set released = $2 where id = $1`;
      await this.#clerk.run(sql, [id, released]);
      this.#laboratory.set(id, released);
    }
    return true;
  }

  async truncateLaboratory(): Promise<boolean> {
    await this.#clerk.run(`truncate public.laboratory_result`, []);
    this.#laboratory.clear();
    return true;
  }

  async #enterResult(): Promise<void> {
    const id = this.#clerk.random.uuid();
    const released = this.#clerk.random.pick([true, false, null]);
    await this.#clerk.run(
      `insert into public.laboratory_result (id, released, entered_by, value, image) values ($1, $2, $3, $4, $5)`,
      [
        id,
        released,
        this.#clerk.name,
        this.#clerk.random.pick([0, 1e-300, -1.5, NaN, Infinity]),
        this.#clerk.random.chance(0.3) ? this.#clerk.random.bytes(this.#clerk.largeBytes) : null,
      ],
    );
    this.#laboratory.set(id, released);
  }
}
