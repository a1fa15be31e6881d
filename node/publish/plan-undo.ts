/** Takes away all that prepare made, from the memory of prepare; roles and settings stay, they may serve others. Pure. */
import { literal } from '../database/ident.ts';
import type { Facts } from './catalogue.ts';
import { type Finding, info } from './finding.ts';
import { planStale, takeAway } from './plan.ts';
import { alone, type Statement, statement } from './statement.ts';

export interface UndoPlan {
  readonly superuser: readonly Statement[];
  readonly owner: readonly Statement[];
  readonly findings: readonly Finding[];
}

/** `foreign`: tables, as `schema.name`, whose origin column still holds names of other nodes. */
export function planUndo(facts: Facts, foreign: ReadonlySet<string>): UndoPlan {
  const columns = [...facts.prepared.values()].filter((row) => row.kind === 'column');
  const kept = columns.filter((row) => foreign.has(row.object));
  return {
    superuser: facts.server.slots.map((slot) => dropSlot(slot.name)),
    owner: [
      ...planStale(facts, new Set()),
      ...columns
        .filter((row) => !foreign.has(row.object))
        .flatMap((row) => takeAway(row.kind, row.object, row.undo)),
      ...(facts.schemas.has('tributary') ? [dropSchema] : []),
    ],
    findings: kept.map((row) =>
      info('origin_column_kept', row.object, {
        problem: 'rows of other nodes stand here: the column that tells where they come from stays',
        advice: `When they are not needed any more: delete from ${row.object} where tributary_origin <> ${literal(row.wanted)}; alter table ${row.object} drop column tributary_origin;`,
      }),
    ),
  };
}

const dropSchema = alone('owner', 'none', {
  why: "Tributary's own schema",
  command: 'drop schema if exists tributary cascade',
});

function dropSlot(name: string): Statement {
  const one = `from pg_catalog.pg_replication_slots s where s.slot_name = ${literal(name)}`;
  return statement('superuser', 'none', {
    why: 'the log kept for the parent is given up; the parent begins anew if this node comes back',
    commands: [
      `select pg_catalog.pg_terminate_backend(s.active_pid, 5000) ${one} and s.active_pid is not null`,
      `select pg_catalog.pg_drop_replication_slot(s.slot_name) ${one}`,
    ],
  });
}
