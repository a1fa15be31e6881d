/** `tributary check [--json]`: what would break later, each with the SQL or setting that mends it. */
import type { Topology } from '../config/model.ts';
import { checkNode } from '../publish/check.ts';
import { complaint, exitCodeOf } from './complain.ts';
import { exitCodeOfFindings, type Out, printFindings } from './findings.ts';

export interface CheckArguments {
  readonly topology: Topology;
  readonly node: string;
  readonly json: boolean;
}

/** Exit code 0: nothing, or only warnings; 1: the database does not answer; 2: configuration; 3: needs a person. */
export async function checkCommand(args: CheckArguments, out: Out): Promise<number> {
  try {
    const findings = await checkNode(args);
    if (args.json) {
      out(JSON.stringify(findings, null, 2));
    } else {
      printFindings(findings, out);
      out(
        summary(
          args.node,
          findings.map((finding) => finding.severity),
        ),
      );
    }
    return exitCodeOfFindings(findings);
  } catch (error) {
    complaint(error).forEach((line) => out(line));
    return exitCodeOf(error);
  }
}

function summary(node: string, severities: readonly string[]): string {
  const count = (severity: string): number =>
    severities.filter((other) => other === severity).length;
  return severities.length === 0
    ? `${node}: nothing to mend`
    : `${node}: errors ${count('error')}, warnings ${count('warning')}, notes ${count('info')}`;
}
