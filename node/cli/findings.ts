/** How findings and failures are shown on a terminal, and the exit code they mean. */
import { TributaryError } from '../errors.ts';
import type { Finding } from '../publish/finding.ts';

export type Out = (line: string) => void;

/** Worst first, each on a line with its advice under it. */
export function printFindings(findings: readonly Finding[], out: Out): void {
  const order = { error: 0, warning: 1, info: 2 };
  const sorted = [...findings].sort((a, b) => order[a.severity] - order[b.severity]);
  const width = Math.max(0, ...sorted.map((finding) => finding.object.length));
  for (const { severity, object, problem, advice } of sorted) {
    out(`${severity.padEnd(7)}  ${object.padEnd(width)}  ${problem}`);
    out(`${' '.repeat(9)}${' '.repeat(width)}  -> ${advice}`);
  }
}

/** 3 if a person has to do something, else 0. */
export function exitCodeOf(findings: readonly Finding[]): number {
  return findings.some((finding) => finding.severity === 'error') ? 3 : 0;
}

/** One line of what went wrong with names and SQLSTATE, one of what to do; the exit code by the error's policy. */
export function printFailure(error: unknown, out: Out): number {
  if (!(error instanceof TributaryError)) {
    throw error;
  }
  const context = Object.entries(error.context)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join(', ');
  out(`error    ${error.message}${context === '' ? '' : ` (${context})`}`);
  out(`         -> ${error.advice}`);
  const codes = { configuration: 2, person: 3, passing: 1, stop: 1 } as const;
  return codes[error.policy];
}
