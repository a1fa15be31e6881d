/**
 * The states of a stream as people see them, and what moves it from one to the next. Pure.
 * A stream that failed keeps the state of its failure through later attempts until it really streams again: neither
 * status nor log flaps while a provider is down.
 */
export const streamStates = [
  'starting',
  'proving',
  'streaming',
  'retrying',
  'person',
  'paused',
  'stopped',
] as const;

export type StreamState = (typeof streamStates)[number];

export type StreamEvent =
  | 'attempted'
  | 'described'
  | 'connected'
  | 'failed_passing'
  | 'failed_person'
  | 'found_paused'
  | 'woken'
  | 'ended';

const failures = {
  failed_passing: 'retrying',
  failed_person: 'person',
  found_paused: 'paused',
  ended: 'stopped',
} as const;

const table: Readonly<Record<StreamState, Readonly<Record<StreamEvent, StreamState>>>> = {
  starting: {
    ...failures,
    attempted: 'starting',
    described: 'proving',
    connected: 'streaming',
    woken: 'starting',
  },
  proving: {
    ...failures,
    attempted: 'starting',
    described: 'proving',
    connected: 'streaming',
    woken: 'proving',
  },
  streaming: {
    ...failures,
    attempted: 'starting',
    described: 'proving',
    connected: 'streaming',
    woken: 'streaming',
  },
  retrying: {
    ...failures,
    attempted: 'retrying',
    described: 'retrying',
    connected: 'streaming',
    woken: 'retrying',
  },
  person: {
    ...failures,
    attempted: 'person',
    described: 'person',
    connected: 'streaming',
    woken: 'person',
  },
  paused: {
    ...failures,
    attempted: 'paused',
    described: 'starting',
    connected: 'streaming',
    woken: 'paused',
  },
  stopped: {
    attempted: 'starting',
    described: 'stopped',
    connected: 'stopped',
    failed_passing: 'stopped',
    failed_person: 'stopped',
    found_paused: 'stopped',
    woken: 'stopped',
    ended: 'stopped',
  },
};

export function nextState(state: StreamState, event: StreamEvent): StreamState {
  return table[state][event];
}
