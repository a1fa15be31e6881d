/**
 * Soft deletes and deactivated orphans together over three levels: every order in which a row and the row it refers to
 * are approved, withdrawn and approved again, the late referenced row among them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roles } from '../database.ts';
import { chain, Tree } from '../tree.ts';

const sql = `
  create table public.facility (
    code text primary key,
    released boolean not null default false,
    withdrawn_here boolean not null default false
  );
  create table public.visit (
    id uuid primary key default gen_random_uuid(),
    code text not null,
    status text not null default 'draft',
    facility text references public.facility (code),
    withdrawn_here boolean not null default false,
    is_active boolean not null default true
  );`;

const yaml = `tables:
  - table: public.facility
    key: [code]
    approved: released
    deletes: {soft: withdrawn_here}
  - table: public.visit
    approved: status = 'approved'
    deletes: {soft: withdrawn_here}
    orphans: {deactivate: is_active}
`;

/** Every way to mix two of the same three steps: on, off, on. */
function orders(facility = 3, visit = 3): readonly string[] {
  if (facility === 0 || visit === 0) {
    return ['f'.repeat(facility) + 'v'.repeat(visit)];
  }
  return [
    ...orders(facility - 1, visit).map((rest) => `f${rest}`),
    ...orders(facility, visit - 1).map((rest) => `v${rest}`),
  ];
}

interface Flags {
  readonly code: string;
  readonly facility: boolean | null;
  readonly visit: boolean | null;
  readonly active: boolean | null;
}

/** What stands above the leaf after so many steps: null, no row; else whether it is withdrawn, or active. */
function expected(order: string, steps: number): Flags {
  const done = order.slice(0, steps);
  const [f, v] = ['f', 'v'].map((kind) => done.split(kind).length - 1) as [number, number];
  return {
    code: order,
    facility: f === 0 ? null : f % 2 === 0,
    visit: v === 0 ? null : v % 2 === 0,
    active: v === 0 ? null : f % 2 === 1,
  };
}

void test('flags are right at region and nation in every order of withdrawals, approvals and late rows', async () => {
  const tables = [
    { name: 'facility', approved: 'released', key: 'code' },
    { name: 'visit', approved: `status = 'approved'`, key: 'id' },
  ];
  await using tree = await Tree.create({ parents: chain, application: { sql, yaml, tables } });
  const leaf = await tree.node('district_a').database.client(roles.owner);
  const all = orders();
  assert.equal(all.length, 20);
  for (const code of all) {
    await leaf.query(`insert into public.facility (code) values ($1)`, [code]);
    await leaf.query(`insert into public.visit (code, facility) values ($1, $1)`, [code]);
  }
  for (let step = 1; step <= 6; step += 1) {
    for (const code of all) {
      const sql =
        code[step - 1] === 'f'
          ? `update public.facility set released = not released where code = $1`
          : `update public.visit set status = case status when 'approved' then 'draft' else 'approved' end where code = $1`;
      await leaf.query(sql, [code]);
    }
    const wanted = all.map((code) => expected(code, step));
    for (const node of ['north', 'nation']) {
      let seen: readonly Flags[] = [];
      await tree
        .until(
          async () => {
            seen = await tree.node(node).database.query<Flags & Record<string, unknown>>(
              `select c.code, f.withdrawn_here as facility, v.withdrawn_here as visit, v.is_active as active
               from unnest($1::text[]) with ordinality c(code, n)
               left join public.facility f on f.code = c.code
               left join public.visit v on v.code = c.code
               order by c.n`,
              [all],
            );
            return JSON.stringify(seen) === JSON.stringify(wanted);
          },
          { what: `the flags at ${node} after step ${step}` },
        )
        .catch((error: unknown) => {
          assert.deepEqual(seen, wanted, `at ${node} after step ${step}`);
          throw error;
        });
    }
  }
  await leaf.end();
});
