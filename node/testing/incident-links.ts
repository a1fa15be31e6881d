/** Incidents of links, load, slots and disks. Each names the alerts and panels that tell of it. */
import assert from 'node:assert/strict';
import type { Client } from 'pg';
import { Background } from './background.ts';
import type { Incident } from './incidents.ts';
import { appears, differs, falls, rises } from './panel-values.ts';
import type { Scene } from './scene.ts';
import type { SmallDisk } from './small-disk.ts';

const facility = 'public.facility';

export function links(scene: Scene): readonly Incident[] {
  const { tree } = scene;
  const link = tree.link('district_a');
  let holder: Client | null = null;
  let writing: Background | null = null;
  return [
    {
      what: 'much is approved behind a slow link',
      node: 'north',
      alerts: [],
      panels: [
        ['Links: Not yet confirmed, as the child sees it', rises],
        ['Links: Bytes a second', rises],
        ['Links: Rows a second', rises],
        ['Links: Bytes in the last 24 hours', rises],
        ['Links: Share of the time spent waiting for the link', differs],
        ['Node: Where the time goes', differs],
        ['Node: Rows applied a second', rises],
        ['Node: Transactions applied a second', rises],
        ['Node: Memory', rises],
        ['Node: Processor', rises],
      ],
      cause: async () => {
        link.limit(1_000_000);
        for (let part = 0; part < 8; part += 1) {
          await scene.approve('district_a', 1000);
        }
      },
      mend: async () => {
        link.heal();
        await Promise.resolve();
      },
    },
    {
      what: 'somebody holds a lock where rows arrive',
      node: 'north',
      alerts: [],
      panels: [
        ['Links: Received and waiting', rises],
        ['Node: Behind', rises],
      ],
      cause: async () => {
        holder = await tree.node('north').database.client();
        await holder.query('begin; lock table public.case_report in access exclusive mode');
        await scene.approve('district_a', 3000);
      },
      mend: async () => {
        await holder?.end();
      },
    },
    {
      what: 'somebody removes a row behind the back of the node',
      node: 'north',
      alerts: [],
      panels: [['Node: Conflicts and replays in the last hour', rises]],
      cause: async () => {
        await tree.node('north').database.queryBehind('delete from public.case_report');
        await scene.sql('district_a', `update public.case_report set note = 'changed'`);
      },
      mend: async () => await Promise.resolve(),
    },
    {
      what: 'a link is cut while a district works on',
      node: 'district_a',
      alerts: [
        { alertname: 'TributaryStreamNotRunning', node: 'north', stream: 'district_a' },
        { alertname: 'TributarySlotInactive', node: 'district_a', slot_name: 'tributary_north' },
        { alertname: 'TributarySlotAtRisk', node: 'district_a', slot_name: 'tributary_north' },
      ],
      panels: [
        ['Network: Streams that do not run', rises],
        ['Network: Log retained by slots, most first', rises],
        ['Network: How long a node may be cut off, least first', falls],
        ['Node: Until a slot is given up', appears],
        ['Node: How long this node may be offline', falls],
        ['Node: Log retained by slots', differs],
        ['Node: Slots in use', falls],
        ['Node: Delay of the event loop, open files', differs],
        ['Links: Age of the last heartbeat of the child itself', rises],
      ],
      cause: async () => {
        link.refuse();
        writing = new Background(async (signal) => {
          for (let written = 0; written < 80 && !signal.aborted; written += 1) {
            await scene.write('district_a', 1);
          }
        });
        await Promise.resolve();
      },
      mend: async () => {
        await writing?.stop();
        link.heal();
      },
    },
    {
      what: 'somebody changes a row behind the back of the node, and the tables are compared',
      node: 'north',
      alerts: [
        { alertname: 'TributaryRowsDiffer', node: 'north', stream: 'district_a', table: facility },
      ],
      panels: [['Node: Rows that differ', appears]],
      cause: async () => {
        await scene.sql('district_a', `insert into ${facility} (code, name) values ('here', 'a')`);
        await tree.until(
          async () =>
            (await tree.node('north').database.query(`select from ${facility} where code = 'here'`))
              .length === 1,
          { what: 'the row is at the region' },
        );
        await tree
          .node('north')
          .database.queryBehind(`update ${facility} set name = 'b' where code = 'here'`);
        const { code } = await tree.command('north', ['verify', '--stream', 'district_a']);
        assert.equal(code, 3, 'verify finds it');
      },
      mend: async () => {
        const { code } = await tree.command('north', [
          'reconcile',
          '--stream',
          'district_a',
          '--yes',
        ]);
        assert.equal(code, 0, 'reconcile mends it');
        await tree.command('north', ['verify', '--stream', 'district_a']);
      },
    },
    {
      what: 'a link breaks again and again',
      node: 'north',
      alerts: [],
      panels: [['Links: Reconnects in the last hour', rises]],
      cause: async () => {
        link.cut();
        await Promise.resolve();
      },
      mend: async () => await Promise.resolve(),
    },
  ];
}

/** district_a keeps its PostgreSQL on it. */
export function filling(scene: Scene, disk: SmallDisk): readonly Incident[] {
  const link = scene.tree.link('district_a');
  let writing: Background | null = null;
  return [
    {
      what: 'a disk fills',
      node: 'district_a',
      alerts: [{ alertname: 'TributaryDiskFilling', node: 'district_a' }],
      panels: [
        ['Network: Free disk, least first', falls],
        ['Node: Until the disk is full', differs],
      ],
      cause: async () => await disk.fill(0.05),
      mend: async () => await disk.empty(),
    },
    {
      what: 'the log fills a disk',
      node: 'district_a',
      alerts: [{ alertname: 'TributaryLogFilling', node: 'district_a' }],
      panels: [['Node: Disk and log', differs]],
      cause: async () => {
        link.refuse();
        writing = new Background(async (signal) => {
          for (let written = 0; written < 130 && !signal.aborted; written += 1) {
            await scene.write('district_a', 1);
          }
        });
        await Promise.resolve();
      },
      mend: async () => {
        await writing?.stop();
        link.heal();
      },
    },
  ];
}

export function losing(scene: Scene): readonly Incident[] {
  const { tree } = scene;
  const link = tree.link('district_a');
  return [
    {
      what: 'a link swallows everything until the log is given up',
      node: 'district_a',
      alerts: [
        { alertname: 'TributaryWalsenderEnded', node: 'district_a' },
        { alertname: 'TributarySlotLost', node: 'district_a', slot_name: 'tributary_north' },
      ],
      panels: [],
      cause: async () => {
        link.silence();
        // What travels fills the buffers of the link until the walsender waits for its client.
        await scene.approve('district_a', 20_000);
        await scene.write('district_a', 250);
        assert.ok(tree.process('north').running);
        await scene.sql('district_a', 'checkpoint');
      },
      mend: async () => {
        link.heal();
        await Promise.resolve();
      },
      ms: 180_000,
    },
  ];
}
