/** Who runs the command, for the audit. */
import { userInfo } from 'node:os';

/** A user without a name in the system, as in a container, is told by number. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
