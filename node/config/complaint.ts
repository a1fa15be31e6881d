/** What a rule reports: a place in the document, what is wrong there, what to write instead. */
import type { Path } from './yaml-source.ts';

export type Complain = (path: Path, problem: string, instead: string) => void;

/** Complains of every value that stood before in the list. */
export function complainOfRepeats(
  values: readonly (string | undefined)[],
  at: (index: number) => Path,
  complain: Complain,
): void {
  for (const [index, value] of values.entries()) {
    if (value !== undefined && values.indexOf(value) < index) {
      complain(at(index), `\`${value}\` stands here twice`, 'remove one of the two');
    }
  }
}
