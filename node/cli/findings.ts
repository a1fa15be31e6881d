/** How findings and failures are shown on a terminal, and the exit code they mean. */
import type { Finding } from '../publish/finding.ts';

export type Out = (line: string) => void;

/** Each on a line with its advice under it. */
export function printFindings(findings: readonly Finding[], out: Out): void {
  const width = Math.max(0, ...findings.map((finding) => finding.object.length));
  for (const { severity, object, problem, advice } of findings) {
    out(`${severity.padEnd(7)}  ${object.padEnd(width)}  ${problem}`);
    out(`${' '.repeat(9)}${' '.repeat(width)}  -> ${advice}`);
  }
}

/** 3 if a person has to do something, else 0. */
export function exitCodeOfFindings(findings: readonly Finding[]): number {
  return findings.some((finding) => finding.severity === 'error') ? 3 : 0;
}
