/**
 * The HTTP edge of a node. /livez and /readyz are open to all; everything else only where the node listens on loopback
 * or the topology declares the network trusted. Acting is POST, from this machine only. Nothing here acts on GET.
 */
import { isIP } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { TributaryError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Asking, Discard, Free, Mending, NodeActing, NodeReading } from './node-api.ts';
import { page } from './page.ts';

/** Whom a request is for. Two nodes of one machine may have been given one port; what is meant for one must not reach the other. */
export const nameHeader = 'x-tributary-node';

export interface HttpOptions {
  /** Of the node. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The topology declares the network trusted. */
  readonly open: boolean;
  readonly reading: NodeReading;
  readonly acting: NodeActing;
  readonly log: Log;
}

/** The routes, without a port: `inject` serves tests. */
export function httpServer(options: HttpOptions): FastifyInstance {
  const server = fastify({ logger: false, bodyLimit: 64 * 1024, forceCloseConnections: true });
  server.setErrorHandler((error, _request, reply) => failed(options.log, error, reply));
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ code: 'not_found', text: 'no such address', advice: 'Look at /.' }),
  );
  addProbes(server, options);
  void server.register((guarded, _options, done) => {
    guarded.addHook('onRequest', async (request, reply) => {
      const { headers } = request;
      if (!options.open && !isLoopback(options.host)) {
        await reply.code(403).send(closed);
      } else if (!options.open && !isOurName(request, options.host)) {
        await reply.code(421).send(misdirected);
      } else if ((headers[nameHeader] ?? options.name) !== options.name) {
        await reply.code(421).send(misdirected);
      }
    });
    addReading(guarded, options);
    addActing(guarded, options);
    done();
  });
  return server;
}

/** Listens; closing the returned server ends open connections. @throws Error EADDRINUSE and the like. */
export async function listen(options: HttpOptions): Promise<FastifyInstance> {
  const server = httpServer(options);
  await server.listen({ host: options.host, port: options.port });
  return server;
}

export function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/, '');
  return (
    plain === 'localhost' || plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'))
  );
}

const closed = {
  code: 'closed',
  text: 'this node listens on more than loopback, and its network is not declared trusted',
  advice: 'Ask on the machine itself with `http: {host: 127.0.0.1}`, or set `http: {open: true}`.',
};

const misdirected = {
  code: 'misdirected',
  text: 'another node answers at this port',
  advice: 'Give each node of a machine a port of its own (`http`), then start this one again.',
};

const notHere = {
  code: 'loopback_only',
  text: 'acting is allowed from the machine itself only',
  advice: 'Run the command on the machine of the node.',
};

function addProbes(server: FastifyInstance, { reading }: HttpOptions): void {
  server.get('/livez', (_request, reply) => reply.send({ live: true }));
  server.get('/readyz', async (_request, reply) => {
    const unready = await reading.unready();
    return await (unready
      ? reply.code(503).send({ ready: false, ...unready })
      : reply.send({ ready: true }));
  });
}

function addReading(server: FastifyInstance, { reading }: HttpOptions): void {
  server.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await reading.metrics();
    return await reply.type(contentType).send(text);
  });
  server.get('/api/status', async (_request, reply) => await reply.send(await reading.status()));
  server.get('/api/openapi.json', (_request, reply) => reply.send(reading.description()));
  server.get('/', (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'self' 'unsafe-inline'; img-src 'self' data:")
      .send(page),
  );
}

const streamAction = {
  params: {
    type: 'object',
    properties: { stream: { type: 'string', maxLength: 40 } },
    required: ['stream'],
  },
  body: {
    type: 'object',
    properties: { actor: { type: 'string', minLength: 1, maxLength: 200 } },
    required: ['actor'],
    additionalProperties: false,
  },
} as const;

const actor = streamAction.body.properties.actor;
const tableName = { type: 'string', minLength: 3, maxLength: 200 } as const;
const text = { type: 'string', minLength: 1, maxLength: 4000 } as const;
/** A key may hold an empty text. How many come at once is bounded by the length of a request. */
const key = {
  type: 'array',
  items: { type: 'string', maxLength: 4000 },
  minItems: 1,
  maxItems: 32,
} as const;

const tableAction = {
  ...streamAction,
  body: {
    type: 'object',
    properties: { actor, table: tableName },
    required: ['actor'],
    additionalProperties: false,
  },
} as const;

const reconcileAction = {
  ...streamAction,
  body: {
    type: 'object',
    properties: { actor, run: { type: 'string', pattern: '^[0-9a-f-]{36}$' } },
    required: ['actor', 'run'],
    additionalProperties: false,
  },
} as const;

const discardAction = {
  ...streamAction,
  body: {
    type: 'object',
    properties: {
      actor,
      table: tableName,
      key,
      reason: text,
    },
    required: ['actor', 'table', 'key', 'reason'],
    additionalProperties: false,
  },
} as const;

const freeAction = {
  ...streamAction,
  body: {
    type: 'object',
    properties: {
      actor,
      table: tableName,
      keys: { type: 'array', items: key },
    },
    required: ['actor'],
    additionalProperties: false,
  },
} as const;

interface StreamAction {
  readonly Params: { readonly stream: string };
  readonly Body: { readonly actor: string };
}

function addActing(server: FastifyInstance, { acting, host }: HttpOptions): void {
  void server.register((here, _options, done) => {
    here.addHook('onRequest', async (request, reply) => {
      if (!isHere(request) || isForeign(request) || !isOurName(request, host)) {
        await reply.code(403).send(notHere);
      }
    });
    here.post('/api/reload', async (_request, reply) => {
      const reloaded = await acting.reload();
      return await reply.code(reloaded.problems.length === 0 ? 200 : 422).send(reloaded);
    });
    for (const verb of ['pause', 'resume'] as const) {
      here.post<StreamAction>(
        `/api/streams/:stream/${verb}`,
        { schema: streamAction },
        async ({ params: { stream }, body: { actor } }, reply) => {
          await acting[verb](stream, actor);
          return await reply.send({ stream, paused: verb === 'pause' });
        },
      );
    }
    addParkedActing(here, acting);
    addReconcileActing(here, acting);
    done();
  });
}

function addParkedActing(here: FastifyInstance, acting: NodeActing): void {
  here.post<{ Params: StreamAction['Params']; Body: Asking }>(
    '/api/streams/:stream/parked/retry',
    { schema: tableAction },
    async ({ params: { stream }, body }, reply) =>
      await reply.send({ stream, keys: await acting.retryParked(stream, body) }),
  );
  here.post<{ Params: StreamAction['Params']; Body: Free }>(
    '/api/streams/:stream/rewound/free',
    { schema: freeAction },
    async ({ params: { stream }, body }, reply) =>
      await reply.send({ stream, keys: await acting.freeRewound(stream, body) }),
  );
  here.post<{ Params: StreamAction['Params']; Body: Discard }>(
    '/api/streams/:stream/parked/discard',
    { schema: discardAction },
    async ({ params: { stream }, body }, reply) => {
      await acting.discardParked(stream, body);
      return await reply.send({ stream, keys: 1 });
    },
  );
}

function addReconcileActing(here: FastifyInstance, acting: NodeActing): void {
  here.post<{ Params: StreamAction['Params']; Body: Asking }>(
    '/api/streams/:stream/verify',
    { schema: tableAction },
    async ({ params: { stream }, body }, reply) =>
      await reply.send({ stream, run: await acting.verify(stream, body) }),
  );
  here.post<{ Params: StreamAction['Params']; Body: Mending }>(
    '/api/streams/:stream/reconcile',
    { schema: reconcileAction },
    async ({ params: { stream }, body }, reply) =>
      await reply.send({ stream, keys: await acting.reconcile(stream, body) }),
  );
}

/** From an address of this machine: a connection to one of its own comes from the same. */
function isHere({ ip, socket }: FastifyRequest): boolean {
  return isLoopback(ip) || ip === socket.localAddress;
}

/** A name that a site has turned to this machine is none of ours, though its page then is of the same origin. */
function isOurName({ headers }: FastifyRequest, configured: string): boolean {
  const { hostname } = URL.parse(`http://${headers.host}`) ?? { hostname: '' };
  const name = hostname.replace(/^\[|\]$/g, '');
  return name === configured || isLoopback(name);
}

/** A page of another site, open in a browser on this machine, also comes from loopback; it can not hide its origin. */
function isForeign({ headers }: FastifyRequest): boolean {
  const { origin, host } = headers;
  return origin !== undefined && origin !== `http://${host}`;
}

/** What the catalogue names says so itself; Fastify's own refusals keep their status; anything else is ours to log, and says nothing of itself outside. */
async function failed(log: Log, error: unknown, reply: FastifyReply): Promise<void> {
  if (error instanceof TributaryError && error.code !== 'internal') {
    const { code, message: text, advice, policy } = error;
    await reply.code(policy === 'configuration' ? 409 : 503).send({ code, text, advice });
    return;
  }
  const status = statusOf(error);
  if (status < 500) {
    await reply.code(status).send({
      code: 'bad_request',
      text: 'the request is not right',
      advice: 'Look at /api/openapi.json, and whether command and process are of one version.',
    });
    return;
  }
  log.error({ error: error instanceof Error ? error.name : typeof error }, 'a request failed');
  await reply.code(500).send({
    code: 'internal',
    text: 'an unexpected failure',
    advice: "Look at the node's log.",
  });
}

function statusOf(error: unknown): number {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : 500;
}
