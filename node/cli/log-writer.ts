/** Log lines as JSON, one per line, on standard output. */
import { pino, type Logger } from 'pino';
import type { Log, LogFields } from '../log.ts';

export function logWriter(level: 'debug' | 'info' | 'warn' | 'error'): Log {
  return wrap(
    pino({
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    }),
  );
}

function wrap(logger: Logger): Log {
  return {
    debug: (fields, sentence) => logger.debug(plain(fields), sentence),
    info: (fields, sentence) => logger.info(plain(fields), sentence),
    warn: (fields, sentence) => logger.warn(plain(fields), sentence),
    error: (fields, sentence) => logger.error(plain(fields), sentence),
    child: (fields) => wrap(logger.child(plain(fields))),
  };
}

/** JSON has no bigint; what is not known is left out. */
function plain(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]),
  );
}
