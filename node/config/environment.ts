/** The environment of the process, read in this room only. */
import { TributaryError } from '../errors.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface Environment {
  /** TRIBUTARY_TOPOLOGY: path of the topology file; null: not set. */
  readonly topology: string | null;
  /** TRIBUTARY_NODE: name of this node; null: not set. */
  readonly node: string | null;
  /** TRIBUTARY_LOG_LEVEL: debug, info (default), warn or error. */
  readonly logLevel: LogLevel;
}

/** @throws TributaryError usage, for a log level that is none. */
export function environment(
  variables: Readonly<Record<string, string | undefined>> = process.env,
): Environment {
  const level = variables['TRIBUTARY_LOG_LEVEL'] || 'info';
  const logLevel = logLevels.find((known) => known === level);
  if (logLevel === undefined) {
    throw new TributaryError('usage', {
      variable: 'TRIBUTARY_LOG_LEVEL',
      allowed: logLevels.join(', '),
    });
  }
  return {
    topology: variables['TRIBUTARY_TOPOLOGY'] || null,
    node: variables['TRIBUTARY_NODE'] || null,
    logLevel,
  };
}
