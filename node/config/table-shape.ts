/** The fields of a table in the topology file. */
import { z } from 'zod';
import { column, columns, text } from './field.ts';

const orphans = z.union([
  z.enum(['wait', 'keep']),
  z.strictObject({
    deactivate: column.meta({
      description: 'a boolean column of its own that is set to false while the row is an orphan',
      examples: ['is_active'],
    }),
  }),
]);

export const tableShape = z.strictObject({
  table: z
    .string()
    .regex(/^[^."\s]+\.[^."\s]+$/)
    .meta({ description: 'schema and name of the table', examples: ['public.case_report'] }),
  key: columns
    .meta({
      description: 'columns that name a row, in order; absent: the primary key, which must be uuid',
      examples: [['id']],
    })
    .optional(),
  approved: text
    .meta({
      description:
        'row filter: columns, constants, =, <>, <, >, <=, >=, in, is [not] null, and, or, not; absent: every row travels',
      examples: ["status = 'approved'"],
    })
    .optional(),
  columns: columns
    .meta({ description: 'the columns that travel; absent: all', examples: [['id', 'status']] })
    .optional(),
  at: z
    .record(
      z.string(),
      z.strictObject({
        columns: columns.meta({
          description: 'the columns that leave nodes of this level',
          examples: [['id', 'status']],
        }),
      }),
    )
    .meta({
      description: 'by level: what leaves nodes of that level, where it is less than `columns`',
      examples: [{ region: { columns: ['id', 'status'] } }],
    })
    .optional(),
  identity: z
    .enum(['index', 'full'])
    .meta({
      description:
        'what PostgreSQL logs of the old row: an index over key and filter columns, or all',
      examples: ['index'],
    })
    .default('index'),
  carry: z
    .enum(['trigger', 'none'])
    .meta({
      description: 'how values stored out of line travel when a row is approved by an update',
      examples: ['trigger'],
    })
    .default('trigger'),
  origin: column
    .meta({
      description:
        'an existing column with the name of the node a row was entered at; absent: tributary_origin is added above the leaves',
      examples: ['district_code'],
    })
    .optional(),
  orphans: orphans
    .meta({
      description:
        'what happens to a row whose referenced row has not arrived: wait, keep or {deactivate: column}',
      examples: ['wait'],
    })
    .default('wait'),
  orphans_by_foreign_key: z
    .record(z.string(), orphans)
    .meta({
      description: 'by name of a foreign key constraint: its own rule for orphans',
      examples: [{ case_report_facility_id_fkey: 'keep' }],
    })
    .optional(),
  deletes: z
    .union([
      z.literal('hard'),
      z.strictObject({
        soft: column.meta({
          description: 'a boolean column of its own that is set to true instead of a delete',
          examples: ['withdrawn_here'],
        }),
      }),
    ])
    .meta({
      description: 'what a delete or a withdrawal does at the parent: hard or {soft: column}',
      examples: ['hard'],
    })
    .default('hard'),
  direction: z
    .literal('up')
    .meta({ description: 'the only direction for now', examples: ['up'] })
    .default('up'),
});

export type TableShape = z.infer<typeof tableShape>;
