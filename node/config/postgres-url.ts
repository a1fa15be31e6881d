/** Whether a text is a URL of a PostgreSQL database, before a driver makes something else of it. */
import { TributaryError, type ErrorContext } from '../errors.ts';

/**
 * The same text. A connection string of another kind would be taken for a database's name on this machine, and fail
 * with a reason that misleads. @throws TributaryError url_invalid with `context`; the text is not in it.
 */
export function postgresUrl(text: string, context: ErrorContext): string {
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text) || !decodes(text)) {
    throw new TributaryError('url_invalid', context);
  }
  return text;
}

/** The driver decodes user, password and database, and fails on a percent sign that begins no escape. */
function decodes(text: string): boolean {
  const { username, password, pathname } = new URL(text);
  try {
    decodeURIComponent(`${username}:${password}${pathname}`);
    return true;
  } catch {
    return false;
  }
}
