/** The HTTP edge as a lifecycle: a port another process holds is asked for again, because that process may be ending. */
import { setTimeout as pause } from 'node:timers/promises';
import { listen, type HttpOptions } from './server.ts';

const askMs = 1000;

/** Listens until told to stop. Never rejects: a node without its port still carries rows. */
export async function serveHttp(options: HttpOptions, signal: AbortSignal): Promise<void> {
  const { host, port, log } = options;
  let said = '';
  while (!signal.aborted) {
    try {
      const server = await listen(options);
      log.info({ host, port }, 'http is listening');
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
        if (signal.aborted) {
          resolve();
        }
      });
      await server.close();
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      if (code !== said) {
        said = code;
        log.warn({ host, port, error: code }, 'http can not listen; tried again every second');
      }
      await pause(askMs, undefined, { signal }).catch(() => {});
    }
  }
}
