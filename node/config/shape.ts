/**
 * The shape of the topology file. Each field has a description and an example: they make the JSON Schema for editors and
 * the advice in every problem. What fields mean together is in table-rules.ts and node-rules.ts.
 */
import { z } from 'zod';
import { name } from './field.ts';
import { nodeShape } from './node-shape.ts';
import { durationPattern } from './quantity.ts';
import { tableShape } from './table-shape.ts';

export const topologyShape = z.strictObject({
  version: z.literal(1).meta({ description: 'version of this format', examples: [1] }),
  zone: z
    .string()
    .meta({
      description: 'IANA time zone of windows and pages',
      examples: ['Africa/Addis_Ababa'],
    })
    .default('UTC'),
  heartbeat: z
    .string()
    .regex(durationPattern)
    .meta({
      description: 'how often each node says that it is there: a number with ms, s, m or h',
      examples: ['30s'],
    })
    .default('30s'),
  verify: z
    .string()
    .meta({
      description:
        'when every table is compared with the children, as a cron expression in `zone`; absent: by command only',
      examples: ['0 2 * * 0'],
    })
    .optional(),
  levels: z
    .array(name)
    .min(1)
    .meta({
      description: 'the tiers, leaf first',
      examples: [['district', 'region', 'nation']],
    }),
  tables: z
    .array(tableShape)
    .meta({ description: 'the replication set', examples: [[{ table: 'public.case_report' }]] }),
  nodes: z
    .array(nodeShape)
    .min(1)
    .meta({
      description: 'the tree: one node without parent, all others below it',
      examples: [[{ name: 'nation', level: 'nation', database: '${NATION_DATABASE_URL}' }]],
    }),
});

export type TopologyShape = z.infer<typeof topologyShape>;
