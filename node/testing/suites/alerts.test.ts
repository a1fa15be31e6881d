/**
 * Every alert fired by causing its condition in a running tree, and every panel of the dashboards seen to change with its
 * condition, by a real Prometheus: links are cut and slowed, disks filled, processes killed, files, objects and clocks
 * changed. No metric is written and no threshold touched; every duration of the rules is divided by one factor.
 * `npm run suite alerts -- --factor 600` runs all of it in ten minutes (as root, for a small disk is mounted), with
 * `--only WORDS` what bears these words; `npm test` the quick ones. Without Prometheus (on Debian: package prometheus)
 * there is nothing to see.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRules } from '../../../monitoring/alert-rules.ts';
import {
  applications,
  beginning,
  clocks,
  files,
  processes,
  published,
  upgrades,
} from '../incident-list.ts';
import { filling, links, losing } from '../incident-links.ts';
import type { Incident } from '../incidents.ts';
import { panelNames } from '../panel-values.ts';
import { Prometheus } from '../prometheus.ts';
import { Scene } from '../scene.ts';
import { SmallDisk } from '../small-disk.ts';
import { Tree } from '../tree.ts';
import { WebApplication } from '../web-application.ts';

const parents = {
  nation: null,
  north: 'nation',
  district_a: 'north',
  district_b: 'north',
} as const;
const long = process.env['TEST_FACTOR'] !== undefined;
const factor = Number(process.env['TEST_FACTOR'] ?? '600');
const only = process.env['TEST_ONLY'] ?? '';
const day = 86_400_000;
const settings = {
  max_slot_wal_keep_size: '160MB',
  max_wal_size: '64MB',
  min_wal_size: '32MB',
  wal_sender_timeout: 0,
};

const skip = (await Prometheus.installed()) ? false : 'Prometheus is not installed';

void test(
  'every alert fires when its condition is caused and resolves when it is mended, and every panel shows it',
  {
    skip,
    timeout: 3_600_000,
  },
  async (t) => {
    await using plain = await WebApplication.start(null);
    await using secure = await WebApplication.start(new Date(Date.now() + 90 * day));
    await using disk = await SmallDisk.create(640);
    await using tree = await Tree.create({
      parents,
      settings,
      start: false,
      ...(disk && { homes: { district_a: disk.path } }),
      more: {
        district_a: [
          `probes: [{name: plain, url: "${plain.url}"}, {name: secure, url: "${secure.url}"}]`,
          ...(disk ? [`disk: {path: ${disk.path}}`] : []),
        ],
      },
    });
    await tree.prepare();
    await using scene = await Scene.open(tree, factor);
    const { incidents } = scene;
    const happens = async (series: readonly Incident[]): Promise<void> => {
      for (const incident of series.filter(({ what }) => what.includes(only))) {
        await t.test(incident.what, async () => await incidents.happen(incident));
      }
    };
    if (!long) {
      await Promise.all([
        happens(applications({ plain, secure })),
        happens(files(scene)),
        happens(clocks(scene)),
      ]);
      await happens(processes(scene));
      return;
    }

    await Promise.all([
      happens(beginning(scene)),
      happens(published(scene)),
      happens(applications({ plain, secure })),
      happens(files(scene)),
      happens(clocks(scene)),
    ]);
    await happens(upgrades(scene));
    await happens(processes(scene));
    await happens(links(scene));
    if (disk) {
      await happens(filling(scene, disk));
    } else {
      await t.test('the disk', { skip: 'mounting a small disk takes root' });
    }
    await happens(losing(scene));
    await t.test(
      'no alert and no panel was left out',
      { skip: disk && only === '' ? false : 'not all of it was run' },
      async () => {
        const { alerts } = await readRules('monitoring/alerts.yml');
        const names = alerts.map(({ alert }) => alert);
        assert.deepEqual(
          names.filter((name) => !incidents.alertsSeen.has(name)),
          [],
        );
        assert.deepEqual(
          panelNames.filter((name) => !incidents.panelsSeen.has(name)),
          [],
        );
      },
    );
  },
);
