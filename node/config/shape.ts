/**
 * The shape of the topology file, field by field. Each field has a description and an example: they make the JSON
 * Schema for editors and the advice in every problem. What fields mean together is in table-rules.ts and node-rules.ts.
 */
import { z } from 'zod';
import { durationPattern, sizePattern } from './quantity.ts';

export const namePattern = /^[a-z][a-z0-9_]{0,39}$/;

const text = z.string().min(1);
const name = z.string().regex(namePattern);
const column = z.string().min(1).max(63);
const columns = z.array(column).min(1);
const path = z.string().regex(/^\//);

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

const httpShape = z.strictObject({
  host: text
    .meta({ description: 'address to listen on', examples: ['127.0.0.1'] })
    .default('127.0.0.1'),
  port: z
    .int()
    .min(0)
    .max(65_535)
    .meta({ description: 'port to listen on; 0: any free one', examples: [8080] })
    .default(8080),
  open: z
    .boolean()
    .meta({
      description: 'true: the network is trusted, pages and metrics need no token',
      examples: [false],
    })
    .default(false),
});

const rolesShape = z.strictObject({
  reader: column
    .meta({
      description: "the role of `provider`: the parent's login",
      examples: ['tributary_reader'],
    })
    .default('tributary_reader'),
  writer: column
    .meta({
      description: "the role of `database`: this node's login",
      examples: ['tributary_writer'],
    })
    .default('tributary_writer'),
});

const probeShape = z.strictObject({
  name: name.meta({ description: 'name of the application', examples: ['web'] }),
  url: text.meta({
    description: 'address that answers while the application is online',
    examples: ['https://example.org/health'],
  }),
});

export const nodeShape = z.strictObject({
  name: name.meta({
    description: 'name of the node, for ever: a to z, 0 to 9 and _, at most 40, a letter first',
    examples: ['north'],
  }),
  title: text.meta({ description: 'name for people', examples: ['Northern Region'] }).optional(),
  level: text.meta({ description: 'one of `levels`', examples: ['region'] }),
  parent: text
    .meta({ description: 'name of the parent; absent: the root', examples: ['nation'] })
    .optional(),
  link: z
    .enum(['direct', 'dial'])
    .meta({ description: 'who opens the connection to this node', examples: ['direct'] })
    .default('direct'),
  database: text.meta({
    description: "URL of this node's own PostgreSQL, with the writing role",
    examples: ['${NORTH_DATABASE_URL}'],
  }),
  provider: text
    .meta({
      description: "URL by which the parent reaches this node's PostgreSQL, with the reading role",
      examples: ['${NORTH_PROVIDER_URL}'],
    })
    .optional(),
  roles: rolesShape
    .meta({
      description: 'the two roles of the running node in its PostgreSQL',
      examples: [{ reader: 'tributary_reader', writer: 'tributary_writer' }],
    })
    .optional(),
  http: httpShape
    .meta({
      description: 'where the node answers',
      examples: [{ host: '127.0.0.1', port: 8080 }],
    })
    .optional(),
  disk: z
    .strictObject({
      path: path.meta({
        description: "absolute path where the files of this node's PostgreSQL can be seen",
        examples: ['/var/lib/postgresql'],
      }),
    })
    .meta({
      description: 'the disk to watch; absent: not watched',
      examples: [{ path: '/var/lib/postgresql' }],
    })
    .optional(),
  probes: z
    .array(probeShape)
    .meta({
      description: 'applications of the datacentre whose online status is watched',
      examples: [[{ name: 'web', url: 'https://example.org/health' }]],
    })
    .optional(),
  outage: z
    .strictObject({
      log: z
        .string()
        .regex(sizePattern)
        .meta({
          description: 'how much log this node keeps for its parent: MB, GB or TB',
          examples: ['8GB'],
        }),
    })
    .meta({ description: 'the bound of the retained log', examples: [{ log: '8GB' }] })
    .optional(),
  spool: path
    .meta({
      description:
        'absolute path of the directory for large transactions; absent: the temporary one',
      examples: ['/var/spool/tributary'],
    })
    .optional(),
  retired: z
    .boolean()
    .meta({
      description: 'true: a closed place; its rows stay, nothing is read from it',
      examples: [true],
    })
    .default(false),
  adopt: z
    .boolean()
    .meta({
      description:
        "true: rows that stood at the parent before, under the parent's own origin, are taken over by this child, once",
      examples: [true],
    })
    .default(false),
});

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
export type TableShape = z.infer<typeof tableShape>;
export type NodeShape = z.infer<typeof nodeShape>;
