/**
 * One desk at a district: what a person does there within an open transaction. It returns what the case is afterwards;
 * the worker believes it only once the transaction has committed.
 */
import type { ClientBase } from 'pg';
import type { Random } from '../random.ts';
import { partsIn, withStates, type CaseFile, type Part } from './case-file.ts';
import * as sql from './statements.ts';
import type { Tally } from './transitions.ts';
import * as value from './values.ts';

const partTables = ['laboratory_result', 'attachment'] as const;

export class Desk {
  readonly #client: ClientBase;
  readonly #random: Random;
  readonly #tally: Tally;

  /** @param tally of this transaction alone. */
  constructor(client: ClientBase, random: Random, tally: Tally) {
    this.#client = client;
    this.#random = random;
    this.#tally = tally;
  }

  /** A new draft with its parts. */
  async report(facility: string): Promise<CaseFile> {
    const values = value.caseReport(this.#random, facility);
    await this.#client.query(sql.insertCaseReport, values);
    this.#tally.add('insert_draft', 1);
    const file: CaseFile = { id: String(values[0]), state: 'draft', parts: [] };
    return await this.addParts(file, this.#random.integer(0, 3));
  }

  async addParts(file: CaseFile, count = 1): Promise<CaseFile> {
    const added: Part[] = [];
    for (let index = 0; index < count; index += 1) {
      const table = this.#random.weighted({ laboratory_result: 2, attachment: 1 });
      const values =
        table === 'attachment'
          ? value.attachment(this.#random, file.id)
          : value.laboratoryResult(this.#random, file.id);
      await this.#client.query(
        table === 'attachment' ? sql.insertAttachment : sql.insertLaboratoryResult,
        values,
      );
      added.push({ id: String(values[0]), table, state: 'draft' });
    }
    this.#tally.add('insert_draft', count);
    return { ...file, parts: [...file.parts, ...added] };
  }

  /** The report, and mostly its parts in the same transaction; else they follow in a later one. */
  async approve(file: CaseFile): Promise<CaseFile> {
    await this.#client.query(sql.approveCaseReport, [file.id, value.person(this.#random)]);
    this.#tally.add(file.state === 'draft' ? 'approve' : 'approve_again', 1);
    const approved: CaseFile = { ...file, state: 'approved' };
    return this.#random.chance(0.8) ? await this.approveParts(approved) : approved;
  }

  async approveParts(file: CaseFile): Promise<CaseFile> {
    for (const table of partTables) {
      const fresh = partsIn(file, table, 'draft');
      const again = partsIn(file, table, 'withdrawn');
      await this.#setStatus(table, [...fresh, ...again], 'approved');
      this.#tally.add('approve', fresh.length);
      this.#tally.add('approve_again', again.length);
    }
    return withStates(file, 'approved', ['draft', 'withdrawn']);
  }

  async edit(file: CaseFile): Promise<CaseFile> {
    if (this.#random.chance(0.3)) {
      const text = [value.narrative(this.#random), value.symptomsOf(this.#random)];
      await this.#client.query(sql.rewriteCaseReport, [file.id, ...text]);
    } else {
      await this.#client.query(sql.editCaseReport, [file.id, value.temperature(this.#random)]);
    }
    let edited = file.state === 'approved' ? 1 : 0;
    const results = partsIn(file, 'laboratory_result', 'approved');
    if (results.length > 0) {
      await this.#client.query(sql.editLaboratoryResults, [results, value.result(this.#random)]);
      edited += results.length;
    }
    const attachments = partsIn(file, 'attachment', 'approved');
    if (attachments.length > 0 && this.#random.chance(0.7)) {
      await this.#editAttachments(attachments);
      edited += attachments.length;
    }
    this.#tally.add('edit', edited);
    return file;
  }

  async withdraw(file: CaseFile): Promise<CaseFile> {
    let rows = 1;
    for (const table of partTables) {
      const approved = partsIn(file, table, 'approved');
      await this.#setStatus(table, approved, 'withdrawn');
      rows += approved.length;
    }
    await this.#client.query(sql.withdrawCaseReport, [file.id]);
    this.#tally.add('withdraw', rows);
    return { ...withStates(file, 'withdrawn', ['approved']), state: 'withdrawn' };
  }

  /** The case and all its parts. Only what was approved counts: nobody above knew of the rest. */
  async delete(file: CaseFile): Promise<null> {
    let rows = file.state === 'approved' ? 1 : 0;
    for (const table of partTables) {
      const all = partsIn(file, table, 'draft', 'approved', 'withdrawn');
      if (all.length > 0) {
        await this.#client.query(sql.deleteParts[table], [all]);
      }
      rows += partsIn(file, table, 'approved').length;
    }
    await this.#client.query(sql.deleteCaseReport, [file.id]);
    this.#tally.add('delete', rows);
    return null;
  }

  async editFacility(id: string): Promise<void> {
    const values = [id, this.#random.integer(0, 400), this.#random.chance(0.9)];
    await this.#client.query(sql.editFacility, values);
  }

  async #editAttachments(ids: readonly string[]): Promise<void> {
    if (this.#random.chance(0.2)) {
      const content = this.#random.bytes(value.attachmentBytes);
      await this.#client.query(sql.replaceAttachments, [ids, content]);
    } else {
      await this.#client.query(sql.editAttachments, [ids, value.person(this.#random)]);
    }
  }

  async #setStatus(table: sql.PartTable, ids: readonly string[], status: string): Promise<void> {
    if (ids.length > 0) {
      await this.#client.query(sql.setStatus[table], [ids, status]);
    }
  }
}
