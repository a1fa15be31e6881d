/** Metrics of the applications of the datacentre, by `probes` of the topology file, and of how long things last. */
import { slotLabels, type Declarations } from './declaration.ts';

export const probeMetrics = {
  tributary_probe_up: {
    kind: 'gauge',
    help: '1: the application answered the last question as it should.',
    worry: '0 for some minutes: people at the datacentre can not work with it.',
    labels: ['probe', 'kind'],
  },
  tributary_probe_duration_seconds: {
    kind: 'gauge',
    help: 'How long the last answer took; five seconds are waited for.',
    worry: 'Many times the usual: the application is overloaded.',
    labels: ['probe', 'kind'],
  },
  tributary_probe_certificate_expiry_timestamp_seconds: {
    kind: 'gauge',
    help: 'Unix time at which the certificate shown ends; absent where none is shown.',
    worry: 'Less than two weeks ahead: nobody renews it.',
    labels: ['probe', 'kind'],
  },
} as const satisfies Declarations;

export const forecastMetrics = {
  tributary_offline_seconds: {
    kind: 'gauge',
    help: 'How long the link to the parent may be cut from now on, if as much is written as in the last day; absent at the root.',
    worry: 'Less than an outage of the link usually lasts.',
    labels: [],
  },
  tributary_disk_seconds_left: {
    kind: 'gauge',
    help: 'Until the disk is full, at the rate of the last day; absent while it does not fill.',
    worry: 'Less than it takes to bring a larger one.',
    labels: ['path'],
  },
  tributary_replication_slots_seconds_left: {
    kind: 'gauge',
    help: 'Until a slot that nobody reads may be given up, if as much is written as in the last day; absent while it is read.',
    worry: 'Less than a day: bring the link back, or raise the bound.',
    labels: slotLabels,
  },
} as const satisfies Declarations;
