/** What a room may log: a lower-case sentence and fields. The writer behind it is made in main.ts (pino). */
export interface Log {
  debug(fields: LogFields, sentence: string): void;
  info(fields: LogFields, sentence: string): void;
  warn(fields: LogFields, sentence: string): void;
  error(fields: LogFields, sentence: string): void;
  child(fields: LogFields): Log;
}

export type LogFields = Readonly<
  Record<string, string | number | bigint | boolean | null | undefined>
>;

const nothing = (): void => {};

/** For tests and for callers that want silence. */
export const silent: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silent,
};
