/** A clerk's case reports: index identity, a filter on a text column, values out of line, a unique column. */
import { type Clerk, text } from './clerk.ts';

interface CaseRow {
  status: 'draft' | 'approved';
  ticket: string | null;
}

/** A clerk's rows at most, so that long work does not become slow work. */
const mostRows = 400;
const bulkRows = 200;

export class CaseDesk {
  readonly #clerk: Clerk;
  /** A facility to name in a report, or none. */
  readonly #facility: () => string | null;
  #cases = new Map<string, CaseRow>();

  constructor(clerk: Clerk, facility: () => string | null) {
    this.#clerk = clerk;
    this.#facility = facility;
  }

  async reload(): Promise<void> {
    const rows = await this.#clerk.rows<CaseRow & { id: string }>(
      `select id, status, ticket from public.case_report where entered_by = $1`,
      [this.#clerk.name],
    );
    this.#cases = new Map(rows.map(({ id, status, ticket }) => [id, { status, ticket }]));
  }

  /** How to forget all that is done from here on. */
  remember(): () => void {
    const kept = new Map([...this.#cases].map(([id, row]): [string, CaseRow] => [id, { ...row }]));
    return () => {
      this.#cases = kept;
    };
  }

  async draft(): Promise<boolean> {
    await this.#enter('draft');
    return true;
  }

  async enterApproved(): Promise<boolean> {
    await this.#enter('approved');
    return true;
  }

  async approve(): Promise<boolean> {
    return await this.#setStatus('draft', 'approved');
  }

  async withdraw(): Promise<boolean> {
    return await this.#setStatus('approved', 'draft');
  }

  async editSmall(): Promise<boolean> {
    return await this.#edit('approved', [
      `note = $2, amount = $3::numeric`,
      text(this.#clerk.random, 12),
      String(this.#clerk.random.below(100_000) / 100),
    ]);
  }

  async editLarge(): Promise<boolean> {
    const image = this.#clerk.random.bytes(this.#clerk.largeBytes);
    return this.#clerk.random.chance(0.5)
      ? await this.#edit('approved', [`scan = $2`, image])
      : await this.#edit('approved', [
          `narrative = $2`,
          text(this.#clerk.random, this.#clerk.largeBytes / 2),
        ]);
  }

  async editDraft(): Promise<boolean> {
    return await this.#edit('draft', [
      `detail = $2`,
      JSON.stringify({ n: this.#clerk.random.next() }),
    ]);
  }

  async remove(): Promise<boolean> {
    return await this.#delete('approved');
  }

  async removeDraft(): Promise<boolean> {
    return await this.#delete('draft');
  }

  async changeKey(): Promise<boolean> {
    return await this.#rekey('approved', 'approved');
  }

  async changeKeyAndApprove(): Promise<boolean> {
    return await this.#rekey('draft', 'approved');
  }

  async deleteAndReinsert(): Promise<boolean> {
    const id = this.#pickCase('approved');
    if (!id) {
      return false;
    }
    await this.#clerk.run(`delete from public.case_report where id = $1`, [id]);
    await this.#insert(id, 'approved', null);
    return true;
  }

  /** A unique value handed from one row to another in one transaction. */
  async moveTicket(): Promise<boolean> {
    const from = this.#clerk.random.chance(0.8)
      ? [...this.#cases].find(([, row]) => row.ticket !== null && row.status === 'approved')?.[0]
      : undefined;
    const to = this.#pickCase('approved');
    const giver = from === undefined ? undefined : this.#cases.get(from);
    const taker = to === undefined ? undefined : this.#cases.get(to);
    if (!giver || !taker || giver === taker) {
      return false;
    }
    const set = `update public.case_report set ticket = $2 where id = $1`;
    const ticket = giver.ticket;
    await this.#clerk.run(set, [from, null]);
    await this.#clerk.run(set, [to, ticket]);
    giver.ticket = null;
    taker.ticket = ticket;
    return true;
  }

  /** Many rows in one statement. */
  async bulk(): Promise<boolean> {
    const chosen = [...this.#cases].slice(0, bulkRows);
    await this.#clerk.run(
      `update public.case_report set status = 'approved', note = 'bulk' where id = any ($1)`,
      [chosen.map(([id]) => id)],
    );
    for (const [, row] of chosen) {
      row.status = 'approved';
    }
    return chosen.length > 0;
  }

  async #enter(status: CaseRow['status']): Promise<void> {
    if (this.#cases.size >= mostRows && !(await this.#delete('draft'))) {
      await this.#delete('approved');
    }
    const id = this.#clerk.random.uuid();
    const ticket = this.#clerk.random.chance(0.3) ? `${this.#clerk.name}-${id.slice(0, 13)}` : null;
    await this.#insert(id, status, ticket);
  }

  async #insert(id: string, status: CaseRow['status'], ticket: string | null): Promise<void> {
    const random = this.#clerk.random;
    await this.#clerk.run(
      `insert into public.case_report
         (id, status, facility, ticket, entered_by, note, amount, detail, narrative, scan)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        id,
        status,
        this.#facility(),
        ticket,
        this.#clerk.name,
        random.pick([null, '', text(this.#clerk.random, 8), `quote ' back \\ tab \t line \n`]),
        random.pick([null, '1.00', '1.0', '-0.000', '12345678901234567890.123']),
        random.pick([null, '{"a": 1,   "b": [null, "x"]}', '[]']),
        random.chance(0.3) ? text(this.#clerk.random, this.#clerk.largeBytes / 2) : null,
        random.chance(0.15) ? random.bytes(this.#clerk.largeBytes) : null,
      ],
    );
    this.#cases.set(id, { status, ticket });
  }

  async #setStatus(from: CaseRow['status'], to: CaseRow['status']): Promise<boolean> {
    const id = this.#pickCase(from);
    const row = id === undefined ? undefined : this.#cases.get(id);
    if (!row) {
      return false;
    }
    await this.#clerk.run(`update public.case_report set status = $2 where id = $1`, [id, to]);
    row.status = to;
    return true;
  }

  async #edit(
    status: CaseRow['status'],
    [set, ...values]: readonly [string, ...unknown[]],
  ): Promise<boolean> {
    const id = this.#pickCase(status);
    if (id !== undefined) {
      await this.#clerk.run(`update public.case_report set ${set} where id = $1`, [id, ...values]);
    }
    return id !== undefined;
  }

  async #delete(status: CaseRow['status']): Promise<boolean> {
    const id = this.#pickCase(status);
    if (id === undefined) {
      return false;
    }
    await this.#clerk.run(`delete from public.case_report where id = $1`, [id]);
    this.#cases.delete(id);
    return true;
  }

  async #rekey(from: CaseRow['status'], to: CaseRow['status']): Promise<boolean> {
    const id = this.#pickCase(from);
    const row = id === undefined ? undefined : this.#cases.get(id);
    if (id === undefined || !row) {
      return false;
    }
    const next = this.#clerk.random.uuid();
    const sql = `update public.case_report set id = $2, status = $3 where id = $1`;
    await this.#clerk.run(sql, [id, next, to]);
    this.#cases.delete(id);
    this.#cases.set(next, { ...row, status: to });
    return true;
  }

  #pickCase(status: CaseRow['status']): string | undefined {
    const ids = [...this.#cases].filter(([, row]) => row.status === status).map(([id]) => id);
    return ids.length > 0 ? this.#clerk.random.pick(ids) : undefined;
  }
}
