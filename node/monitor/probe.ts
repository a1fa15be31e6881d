/** One question to an application of the datacentre: is it online, and until when does its certificate hold? */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import pg from 'pg';
import { clientConfig } from '../database/connect.ts';
import { sqlFailure } from '../database/sqlstate.ts';

export type ProbeKind = 'http' | 'tcp' | 'tls' | 'postgres';

export interface ProbeAnswer {
  readonly kind: ProbeKind;
  readonly up: boolean;
  /** Why it is not up, such as `http_503`, `ECONNREFUSED`, `timeout`, `sqlstate_57P03`; null: it is. */
  readonly reason: string | null;
  /** Last moment of the certificate it shows; null: it shows none, or did not answer. */
  readonly certificateExpires: Date | null;
}

/** Why the answer is no. The text is a code: nothing of what the application sent. */
class Down extends Error {
  readonly certificateExpires: Date | null;

  constructor(reason: string, certificateExpires: Date | null = null) {
    super(reason);
    this.certificateExpires = certificateExpires;
  }
}

/** The scheme of the URL decides how it is asked. Null: none of ours. */
export function probeKind(url: string): ProbeKind | null {
  const scheme = /^([a-z]+):\/\//.exec(url)?.[1];
  switch (scheme) {
    case 'http':
    case 'https':
      return 'http';
    case 'postgres':
    case 'postgresql':
      return 'postgres';
    case 'tcp':
    case 'tls':
      return scheme;
    default:
      return null;
  }
}

/**
 * http(s): up is a status below 400 and a certificate this machine trusts. tcp: a connection. tls: a handshake with such a
 * certificate. postgres: `select 1` as the URL's user. Never rejects; takes no longer than `timeoutMs`.
 */
export async function ask(url: string, timeoutMs: number): Promise<ProbeAnswer> {
  const kind = probeKind(url);
  if (kind === null || !URL.canParse(url)) {
    return { kind: kind ?? 'tcp', up: false, reason: 'url_invalid', certificateExpires: null };
  }
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const certificateExpires = await askers[kind](new URL(url), late, timeoutMs);
    return { kind, up: true, reason: null, certificateExpires };
  } catch (error) {
    const certificateExpires = error instanceof Down ? error.certificateExpires : null;
    return {
      kind,
      up: false,
      reason: late.aborted ? 'timeout' : reasonOf(error),
      certificateExpires,
    };
  }
}

type Asker = (url: URL, late: AbortSignal, timeoutMs: number) => Promise<Date | null>;

const askers: Readonly<Record<ProbeKind, Asker>> = {
  http: askHttp,
  tcp: async (url, late) => {
    const socket = await connected(url, late);
    socket.destroy();
    return null;
  },
  tls: async (url, late) => await certificateOf(await connected(url, late), url, late),
  postgres: askPostgres,
};

async function askHttp(url: URL, late: AbortSignal): Promise<Date | null> {
  const { promise, resolve, reject } = Promise.withResolvers<Date | null>();
  const secure = url.protocol === 'https:';
  const request = (secure ? httpsRequest : httpRequest)(url, {
    agent: false,
    signal: late,
    // The certificate is judged below: one that is not trusted still tells when it ends.
    ...(secure && { rejectUnauthorized: false }),
  });
  request.on('error', reject);
  request.on('response', (response) => {
    const expires = secure ? expiry(response.socket as TLSSocket) : null;
    const status = response.statusCode ?? 0;
    const distrust = secure ? distrustOf(response.socket as TLSSocket) : null;
    request.destroy();
    if (distrust !== null) {
      reject(new Down(distrust, expires));
    } else if (status >= 400) {
      reject(new Down(`http_${status}`, expires));
    } else {
      resolve(expires);
    }
  });
  request.end();
  return await promise;
}

async function askPostgres(url: URL, late: AbortSignal, timeoutMs: number): Promise<Date | null> {
  const applicationName = 'tributary probe';
  // A connection that hangs before its log-in is closed by pg itself after connectTimeoutMs, and by nothing else.
  const client = new pg.Client({
    ...clientConfig({ url: url.href, applicationName, connectTimeoutMs: timeoutMs + 100 }),
    query_timeout: timeoutMs,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    void client.end().catch(() => {});
  }
  const mode = url.searchParams.get('sslmode');
  return mode === null || mode === 'disable' ? null : await postgresCertificate(url, late);
}

/** https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL */
async function postgresCertificate(url: URL, late: AbortSignal): Promise<Date | null> {
  const socket = await connected(url, late);
  const request = Buffer.alloc(8);
  request.writeInt32BE(8, 0);
  request.writeInt32BE(80_877_103, 4);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  socket.once('data', resolve).once('error', reject);
  late.addEventListener('abort', () => reject(new Down('timeout')), { once: true });
  socket.write(request);
  const answer = await promise;
  if (answer.toString('latin1') !== 'S') {
    socket.destroy();
    return null;
  }
  // Whether it is trusted, sslmode has decided.
  return await certificateOf(socket, url, late, false);
}

async function connected(url: URL, late: AbortSignal): Promise<Socket> {
  const usual = url.protocol === 'tls:' ? 443 : 5432;
  const port = Number(url.port === '' ? usual : url.port);
  const socket = connect({ host: url.hostname.replaceAll(/^\[|\]$/g, ''), port });
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  socket.once('connect', () => resolve(socket)).once('error', reject);
  late.addEventListener(
    'abort',
    () => {
      socket.destroy();
      reject(new Down('timeout'));
    },
    { once: true },
  );
  return await promise;
}

async function certificateOf(
  socket: Socket,
  url: URL,
  late: AbortSignal,
  judge = true,
): Promise<Date | null> {
  const servername = /[a-z]/i.test(url.hostname) ? { servername: url.hostname } : {};
  const tls = connectTls({ socket, rejectUnauthorized: false, ...servername });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  tls.once('secureConnect', () => resolve()).once('error', reject);
  late.addEventListener('abort', () => reject(new Down('timeout')), { once: true });
  try {
    await promise;
    const expires = expiry(tls);
    const distrust = judge ? distrustOf(tls) : null;
    if (distrust !== null) {
      throw new Down(distrust, expires);
    }
    return expires;
  } finally {
    tls.on('error', () => {});
    tls.destroy();
  }
}

function expiry(socket: TLSSocket): Date | null {
  const { valid_to: until } = socket.getPeerCertificate();
  const date = new Date(until);
  return Number.isNaN(date.getTime()) ? null : date;
}

function distrustOf({ authorized, authorizationError }: TLSSocket): string | null {
  return authorized ? null : `certificate_${String(authorizationError)}`.slice(0, 100);
}

function reasonOf(error: unknown): string {
  if (error instanceof Down) {
    return error.message;
  }
  const { sqlstate, socket } = sqlFailure(error) ?? {};
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  return sqlstate ? `sqlstate_${sqlstate}` : (socket ?? code ?? 'no_answer');
}
