/** What check and prepare say: one line of what is wrong, of which object, and the SQL or setting that mends it. */

export type Severity = 'error' | 'warning' | 'info';

export interface Finding {
  readonly severity: Severity;
  /** Stable, for scripts; such as `filter_column_nullable`. */
  readonly code: string;
  /** Table, role, setting or node the finding is about. */
  readonly object: string;
  readonly problem: string;
  /** SQL or a setting that mends it, or what a person decides. */
  readonly advice: string;
}

export function error(code: string, object: string, text: FindingText): Finding {
  return { severity: 'error', code, object, ...text };
}

export function warning(code: string, object: string, text: FindingText): Finding {
  return { severity: 'warning', code, object, ...text };
}

export function info(code: string, object: string, text: FindingText): Finding {
  return { severity: 'info', code, object, ...text };
}

export interface FindingText {
  readonly problem: string;
  readonly advice: string;
}
