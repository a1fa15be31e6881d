/** The state of a stream as one number with a word, for the time lines of states. */
import type { Panel, Word } from './panel.ts';

const words: readonly Word[] = [
  { value: 1, text: 'streaming', color: 'green' },
  { value: 2, text: 'starting', color: 'blue' },
  { value: 3, text: 'proving', color: 'blue' },
  { value: 4, text: 'paused', color: 'yellow' },
  { value: 5, text: 'retrying', color: 'orange' },
  { value: 6, text: 'stopped', color: 'orange' },
  { value: 7, text: 'person', color: 'red' },
];

/** `matcher`: such as `node="$node", `, or nothing. */
export function streamStates(matcher: string, width: number): Panel {
  const each = words.map(
    ({ value, text }) => `tributary:stream_state{${matcher}state="${text}"} * ${value}`,
  );
  return {
    kind: 'state-timeline',
    title: 'State of each stream',
    description:
      'Which node reads from which child, and since when in which state. person: at once; anything but streaming for longer than the link is usually down.',
    unit: 'short',
    width,
    words,
    queries: [
      { expr: `max by (node, stream) (${each.join(' or ')})`, legend: '{{node}} from {{stream}}' },
    ],
  };
}
