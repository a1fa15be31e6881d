/** The page and what it asks for: GET /api/state reads, POST /api/command acts. On loopback only. */
import { readFile } from 'node:fs/promises';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { CommandError } from '../faults/command.ts';

export interface BoardOptions {
  readonly state: () => object;
  /** One line as on stdin. @throws CommandError. */
  readonly act: (line: string) => Promise<void>;
}

const files = [
  ['/', 'index.html', 'text/html'],
  ['/page.css', 'page.css', 'text/css'],
  ['/page.js', 'page.js', 'text/javascript'],
] as const;

export async function openBoard(port: number, options: BoardOptions): Promise<FastifyInstance> {
  const app = Fastify({ forceCloseConnections: true });
  // A page of another site must not act here: its host differs, and JSON needs a preflight that nobody answers.
  app.addHook('onRequest', async (request, reply) => {
    if (!['127.0.0.1', 'localhost'].includes(request.hostname)) {
      await reply.code(403).send({ error: 'open this page at 127.0.0.1' });
    }
  });
  for (const [path, file, type] of files) {
    app.get(path, async (_request, reply) => await send(reply, file, type));
  }
  app.get('/api/state', options.state);
  app.post('/api/command', {
    schema: {
      body: {
        type: 'object',
        required: ['line'],
        properties: { line: { type: 'string', maxLength: 200 } },
      },
    },
    handler: async (request, reply) => {
      try {
        await options.act((request.body as { line: string }).line);
        return { done: true };
      } catch (error) {
        return await reply
          .code(error instanceof CommandError ? 400 : 500)
          .send({ error: error instanceof Error ? error.message : 'failed' });
      }
    },
  });
  await app.listen({ host: '127.0.0.1', port });
  return app;
}

async function send(reply: FastifyReply, file: string, type: string): Promise<Buffer> {
  void reply
    .type(`${type}; charset=utf-8`)
    .header('content-security-policy', "default-src 'self'; img-src data:")
    .header('cache-control', 'no-store');
  return await readFile(new URL(`../page/${file}`, import.meta.url));
}
