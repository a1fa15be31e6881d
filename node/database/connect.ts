/**
 * How this project opens PostgreSQL connections: with TCP keepalive, a connect timeout, an application name that shows
 * node and topology digest, and output settings under which a value's text means the same on every server. The
 * settings travel in the start-up packet, so no statement ever runs without them.
 */
import pg from 'pg';

export interface ConnectOptions {
  readonly url: string;
  /** Shown in pg_stat_activity, such as `tributary north apply district_a 3f9c...`; at most 63 bytes count. */
  readonly applicationName: string;
  /** Further settings for the start-up packet, such as lock_timeout. Values must not hold spaces or backslashes. */
  readonly settings?: Readonly<Record<string, string | number>>;
  readonly connectTimeoutMs?: number;
}

/** Equal text for equal values between PostgreSQL 15 and 18; digests and text transfer depend on it. */
export const outputSettings = {
  datestyle: 'ISO,YMD',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  xmloption: 'content',
  lc_monetary: 'C',
  client_encoding: 'UTF8',
} as const;

/**
 * For questions beside an application's work. One that reads several tables, or what pg_get_expr tells of them, holds locks
 * that an application's `truncate a, b` waits for; waiting itself, it would make that a deadlock, of which PostgreSQL ends
 * either after deadlock_timeout (1 s). So it gives up long before, milliseconds.
 */
export const politeLockTimeoutMs = 200;

export function clientConfig(options: ConnectOptions): pg.ClientConfig {
  const settings = { ...outputSettings, ...options.settings };
  const { url, given } = withoutOptions(options.url);
  return {
    connectionString: url,
    application_name: options.applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    options: [given, ...Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`)]
      .join(' ')
      .trim(),
  };
}

/** pg would take `options` of a URL in the place of ours. They come first, so that the later ones, ours, win. */
function withoutOptions(text: string): { readonly url: string; readonly given: string } {
  const url = URL.canParse(text) ? new URL(text) : null;
  const given = url?.searchParams.get('options') ?? '';
  if (!url || given === '') {
    return { url: text, given: '' };
  }
  url.searchParams.delete('options');
  return { url: url.href, given };
}

/** A pool for small statements. A lost connection must not end the process: the next query reports it. */
export function openPool(options: ConnectOptions & { readonly max: number }): pg.Pool {
  const pool = new pg.Pool({
    ...clientConfig(options),
    max: options.max,
    idleTimeoutMillis: 30_000,
  });
  pool.on('error', () => {});
  // The pool listens to idle clients only: one that is lent out, as for a transaction, would throw at nobody.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}
