/**
 * What a worker knows of one case: the report and its parts (laboratory results and attachments), each with its state.
 * A part is approved only while its report is, so that no approved row ever refers to one that did not leave.
 */
import type { PartTable } from './statements.ts';

export type State = 'draft' | 'approved' | 'withdrawn';

export interface Part {
  readonly id: string;
  readonly table: PartTable;
  readonly state: State;
}

export interface CaseFile {
  readonly id: string;
  readonly state: State;
  readonly parts: readonly Part[];
}

export type Action =
  | 'report'
  | 'approve'
  | 'add_parts'
  | 'approve_parts'
  | 'edit'
  | 'withdraw'
  | 'approve_again'
  | 'delete'
  | 'delete_draft';

/** What may happen to a case, `report` (a new case) apart. */
export function possible(file: CaseFile): readonly Action[] {
  switch (file.state) {
    case 'draft':
      return ['approve', 'delete_draft', 'edit'];
    case 'approved':
      return [
        'edit',
        'withdraw',
        'delete',
        'add_parts',
        ...(file.parts.some((part) => part.state !== 'approved')
          ? (['approve_parts'] as const)
          : []),
      ];
    case 'withdrawn':
      return ['approve_again', 'delete_draft', 'edit'];
    default:
      throw new Error(`unknown state ${String(file.state satisfies never)}`);
  }
}

/** The parts of a table in one of these states. */
export function partsIn(file: CaseFile, table: PartTable, ...states: readonly State[]): string[] {
  return file.parts
    .filter((part) => part.table === table && states.includes(part.state))
    .map((part) => part.id);
}

export function withStates(file: CaseFile, state: State, from: readonly State[]): CaseFile {
  return {
    ...file,
    parts: file.parts.map((part) => (from.includes(part.state) ? { ...part, state } : part)),
  };
}
