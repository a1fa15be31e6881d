/** The fields of a node in the topology file. */
import { z } from 'zod';
import { column, name, path, text } from './field.ts';
import { sizePattern } from './quantity.ts';

const httpShape = z.strictObject({
  host: text
    .meta({ description: 'address to listen on', examples: ['127.0.0.1'] })
    .default('127.0.0.1'),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .meta({
      description: 'port to listen on; commands on this machine ask there',
      examples: [8080],
    })
    .default(8080),
  open: z
    .boolean()
    .meta({
      description:
        'true: the network is trusted, pages and metrics answer others than this machine too',
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
    description:
      'address that answers while the application is online: https, http, tcp://HOST:PORT, tls://HOST:PORT or postgres',
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

export type NodeShape = z.infer<typeof nodeShape>;
