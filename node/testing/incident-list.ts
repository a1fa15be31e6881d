/** Incidents of a place: its applications, files, clocks and processes. Each names the alerts and panels that tell of it. */
import type { Incident } from './incidents.ts';
import { appears, counts, differs, falls, names, rises } from './panel-values.ts';
import type { Scene } from './scene.ts';
import type { WebApplication } from './web-application.ts';

const later = (days: number): Date => new Date(Date.now() + days * 86_400_000);

/** Rows of before the stream, over a link that takes minutes for them. */
export function beginning({ tree }: Scene): readonly Incident[] {
  const link = tree.link('district_b');
  return [
    {
      what: 'the first rows of a district are long in coming',
      node: 'north',
      alerts: [
        { alertname: 'TributaryOriginIncomplete', node: 'north', origin: 'district_b' },
        { alertname: 'TributaryOriginIncomplete', node: 'nation', origin: 'district_b' },
      ],
      panels: [
        ['Node: Copy progress', appears],
        ['Node: Rows copied', rises],
      ],
      cause: async () => {
        link.heal();
        link.limit(30_000);
        await Promise.resolve();
      },
      mend: async () => {
        link.heal();
        await Promise.resolve();
      },
      ms: 240_000,
    },
  ];
}

/** As the watch over the publication looks once a minute, this takes its time. */
export function published(scene: Scene): readonly Incident[] {
  const place = 'north';
  return [
    {
      what: 'an upgrade tool drops what it does not know',
      node: place,
      alerts: [
        { alertname: 'TributaryIdentityLost', node: place },
        { alertname: 'TributaryFindings', node: place, code: 'carry_missing' },
      ],
      panels: [['Node: Findings', appears]],
      cause: async () =>
        await scene.sql(
          place,
          `do $$ begin execute (
             select 'drop index ' || string_agg(indexrelid::regclass::text, ', ')
             from pg_index where indrelid = 'public.case_report'::regclass and indisreplident
           ); end $$;
           drop trigger zzz_tributary_carry on public.case_report`,
        ),
      mend: async () => await scene.tree.prepare([place]),
      ms: 180_000,
    },
  ];
}

/** An upgrade of the application that has reached a district and not the region, and one that the region can not take. */
export function upgrades(scene: Scene): readonly Incident[] {
  const node = 'north';
  const stream = 'district_a';
  const table = 'public.facility';
  const enter = `insert into public.facility (code, name) values (gen_random_uuid(), 'new')`;
  return [
    {
      what: 'a column is added at a district and not at its region',
      node,
      alerts: [{ alertname: 'TributaryTablePartial', node, stream, table }],
      panels: [],
      cause: async () =>
        await scene.sql(stream, `alter table public.facility add column region text; ${enter}`),
      mend: async () => await scene.sql(node, `alter table public.facility add column region text`),
      ms: 400_000,
    },
    {
      what: 'a column of the key is renamed at a region',
      node,
      alerts: [{ alertname: 'TributaryTableBlocked', node, stream, table }],
      panels: [],
      cause: async () => {
        await scene.sql(node, `alter table public.facility rename code to number`);
        await scene.sql(stream, enter);
      },
      mend: async () => await scene.sql(node, `alter table public.facility rename number to code`),
      ms: 120_000,
    },
  ];
}

/** The two applications of district_a; the certificate of the second is nobody's that this machine trusts. */
export interface Applications {
  readonly plain: WebApplication;
  readonly secure: WebApplication;
}

export function applications({ plain, secure }: Applications): readonly Incident[] {
  const node = 'district_a';
  return [
    {
      what: 'an application goes down',
      node,
      alerts: [{ alertname: 'TributaryApplicationDown', node, probe: 'plain' }],
      panels: [['Network: Applications', falls]],
      cause: async () => await plain.stop(),
      mend: async () => await plain.serve(null),
    },
    {
      what: 'nobody renews a certificate',
      node,
      alerts: [{ alertname: 'TributaryCertificateExpiring', node, probe: 'secure' }],
      panels: [['Network: Certificates end, soonest first', falls]],
      cause: async () => await secure.serve(later(6)),
      mend: async () => await secure.serve(later(90)),
    },
  ];
}

/** One file, read by one node and not by another, or not to be read at all. */
export function files(scene: Scene): readonly Incident[] {
  let before = '';
  const restore = async (nodes: readonly string[]): Promise<void> => {
    await scene.edit(nodes, () => before);
  };
  const above = ['north', 'nation'];
  const stranger = `  - name: district_c
    level: district
    parent: north
    provider: postgres://127.0.0.1:1/nowhere
    database: postgres://127.0.0.1:1/nowhere
`;
  return [
    {
      what: 'a topology file with a mistake',
      node: 'north',
      alerts: [{ alertname: 'TributaryTopologyInvalid', node: 'north' }],
      panels: [['Node: Topology file taken', falls]],
      cause: async () => {
        before = await scene.edit(['north'], (text) => `${text}\nnodes: twice\n`);
      },
      mend: async () => await restore(['north']),
    },
    {
      what: 'a topology file that only one node has',
      node: 'north',
      alerts: [{ alertname: 'TributaryTopologiesDiffer' }],
      panels: [['Network: Nodes and what runs there', differs]],
      cause: async () => {
        before = await scene.edit(['north'], (text) => `${text}\n# changed\n`);
      },
      mend: async () => await restore(['north']),
    },
    {
      what: 'a node nobody ever heard of',
      node: 'north',
      alerts: [
        { alertname: 'TributaryOriginUnknown', node: 'north', origin: 'district_c' },
        { alertname: 'TributaryOriginUnknown', node: 'nation', origin: 'district_c' },
      ],
      panels: [
        ['Network: Never heard of', appears],
        ['Network: Origins not complete', rises],
      ],
      cause: async () => {
        before = await scene.edit(above, (text) => `${text}${stranger}`);
      },
      mend: async () => await restore(above),
    },
  ];
}

export function clocks(scene: Scene): readonly Incident[] {
  const origin = { node: 'north', origin: 'district_a' };
  return [
    {
      what: 'a clock that is a minute ahead',
      node: 'north',
      alerts: [{ alertname: 'TributaryClockSkew', ...origin }],
      panels: [],
      cause: async () => await scene.clock('district_a', '1 minute'),
      mend: async () => await scene.clock('district_a', null),
    },
    {
      // As nobody waits four hours: to the parent, a clock that is behind looks like delay.
      what: 'figures that are five hours old',
      node: 'north',
      alerts: [{ alertname: 'TributaryOriginStale', ...origin }],
      panels: [
        ['Network: Oldest figures', rises],
        ['Network: Age of the figures per origin, worst first', rises],
        ['Network: Age of the figures over time', rises],
      ],
      cause: async () => await scene.clock('district_a', '-5 hours'),
      mend: async () => await scene.clock('district_a', null),
    },
  ];
}

export function processes(scene: Scene): readonly Incident[] {
  const { tree } = scene;
  return [
    {
      what: 'the process of a node is killed',
      node: 'district_a',
      alerts: [{ alertname: 'TributaryNodeDown', node: 'district_a' }],
      panels: [
        ['Network: Nodes that do not answer', rises],
        // Others come and go on a machine with much to do: their number may stay what it was.
        ['Network: Alerts that fire', counts],
        ['Network: Alerts that fire, by name', names('TributaryNodeDown')],
      ],
      cause: async () => await tree.kill9('district_a'),
      mend: async () => {
        tree.start('district_a');
        await Promise.resolve();
      },
    },
    {
      what: 'a PostgreSQL is killed',
      node: 'nation',
      alerts: [
        { alertname: 'TributaryDatabaseDown', node: 'nation' },
        { alertname: 'TributaryNodeNotReady', node: 'nation' },
      ],
      panels: [
        ['Node: Serves', falls],
        ['Node: Database answers', falls],
      ],
      cause: async () => await tree.node('nation').database.cluster.kill(),
      mend: async () => await tree.node('nation').database.cluster.start(),
    },
    {
      what: 'a password that the parent does not know',
      node: 'north',
      alerts: [{ alertname: 'TributaryStreamNeedsPerson', node: 'north', stream: 'district_a' }],
      panels: [
        ['Network: State of each stream', differs],
        ['Links: State of each stream', differs],
        ['Node: State of each stream', differs],
      ],
      cause: async () => {
        await scene.sql('district_a', `alter role tributary_reader password 'another'`);
        tree.link('district_a').cut();
      },
      mend: async () => {
        await scene.sql('district_a', `alter role tributary_reader password 'tributary_reader'`);
        await tree.command('north', ['reload']);
      },
    },
  ];
}
