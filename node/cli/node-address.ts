/** Where the running process of a node answers, and what it says. */
import { TributaryError } from '../errors.ts';
import type { NodeConfig } from '../config/model.ts';
import { nameHeader } from '../http/server.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly timeoutMs: number;
  /** Sent as JSON. */
  readonly body?: object;
}

const misdirected = 421;

/**
 * Null: no process of this node listens here; another node's may.
 * @throws TributaryError usage: no node at all; process_silent: not within the time, or the connection was cut
 */
export async function askNode(node: NodeConfig, request: Question): Promise<Answer | null> {
  try {
    const response = await fetch(`${addressOf(node)}${request.path}`, {
      method: request.method,
      headers: {
        [nameHeader]: node.name,
        ...(request.body && { 'content-type': 'application/json' }),
      },
      ...(request.body && { body: JSON.stringify(request.body) }),
      signal: AbortSignal.timeout(request.timeoutMs),
    });
    const body: unknown = await response.json();
    return response.status === misdirected ? null : { status: response.status, body };
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new TributaryError('usage', { port: node.http.port, problem: 'not a Tributary node' });
    }
    if (error instanceof Error && error.name === 'TimeoutError') {
      const context = { address: addressOf(node), seconds: request.timeoutMs / 1000 };
      throw new TributaryError('process_silent', context);
    }
    return null;
  }
}

export function addressOf({ http }: NodeConfig): string {
  const local = http.host === '0.0.0.0' ? '127.0.0.1' : http.host === '::' ? '::1' : http.host;
  return `http://${local.includes(':') ? `[${local}]` : local}:${http.port}`;
}
