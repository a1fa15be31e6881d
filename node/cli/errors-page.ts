/** docs/errors.md, made from the catalogue of errors.ts by `npm run docs`; a test holds the file to it. */
import { adviceOf, errorCodes, type Policy, policyOf, textOf } from '../errors.ts';

const policies = {
  passing: 'tries again by itself, after 0.25 s to 30 s',
  person: 'waits for a person; looks again every minute and at once on `reload`',
  configuration:
    'the command, or the process at its start, ends with exit code 2; a stream it concerns waits as for a person',
  stop: 'this process stops the stream; another one has it',
} as const satisfies Record<Policy, string>;

export function errorsPage(): string {
  const lines = errorCodes.map(
    (code) => `| \`${code}\` | ${textOf(code)} | ${policyOf(code)} | ${adviceOf(code)} |`,
  );
  const meaning = Object.entries(policies).map(([policy, text]) => `- **${policy}**: ${text}`);
  return [
    '# Errors',
    '',
    'Made by `npm run docs` from `node/errors.ts`. A code is shown by `tributary status`, in the log and on the page.',
    '',
    ...meaning,
    '',
    '| code | what is wrong | policy | what to do |',
    '| --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}
