/** What docker-compose.yml promises, as far as it can be held without a container engine. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { Country, variables } from './country.ts';

const Service = z.object({
  image: z.string(),
  profiles: z.array(z.string()),
  command: z.array(z.string()).default([]),
  container_name: z.string().optional(),
  mem_limit: z.string(),
  logging: z.object({ driver: z.string(), options: z.record(z.string(), z.string()) }),
  environment: z.record(z.string(), z.string()).default({}),
  env_file: z.array(z.string()).default([]),
  healthcheck: z.unknown().optional(),
  networks: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
});
const Compose = z.object({
  services: z.record(z.string(), Service),
  networks: z.record(z.string(), z.object({ name: z.string(), internal: z.boolean().optional() })),
  volumes: z.record(z.string(), z.null()),
});
const Topology = z.object({ nodes: z.array(z.record(z.string(), z.unknown())) });

const text = await readFile('docker-compose.yml', 'utf8');
const compose = Compose.parse(parse(text, { merge: true, maxAliasCount: -1 }));
const country = await Country.read('topology/compose.yaml');

/** @throws Error when there is none. */
function service(name: string): z.infer<typeof Service> {
  const found = compose.services[name];
  assert.ok(found, `a service ${name}`);
  return found;
}

void test('every place has its database, a preparation that ends, and a node, in this order', () => {
  for (const { name } of country.places) {
    assert.ok(service(`${name}-db`).healthcheck);
    assert.deepEqual(service(`${name}-prepare`).depends_on, {
      [`${name}-db`]: { condition: 'service_healthy' },
    });
    assert.deepEqual(service(name).depends_on, {
      [`${name}-prepare`]: { condition: 'service_completed_successfully' },
    });
    for (const one of [name, `${name}-prepare`, `${name}-db`]) {
      assert.deepEqual(service(one).profiles, ['demo', 'tree'], one);
    }
  }
});

void test('people begin once every stream has begun, so that no row is older than its stream', () => {
  const parents = country.places.filter(({ name }) => country.children(name).length > 0);
  for (const { name } of parents) {
    for (const child of country.children(name)) {
      assert.match(service(`${name}-begun`).command.join(' '), new RegExp(`\\b${child.name}\\b`));
    }
    assert.deepEqual(service(`${name}-begun`).environment, service(name).environment);
  }
  assert.deepEqual(
    Object.keys(service('generator').depends_on),
    parents.map(({ name }) => `${name}-begun`),
  );
});

void test('a node is given its own secret and how to reach its children, and is in their networks', () => {
  for (const place of country.places) {
    const children = country.children(place.name);
    const { environment, networks, container_name: container } = service(place.name);
    assert.deepEqual(
      Object.keys(environment).filter((name) => name.endsWith('_URL')),
      [variables(place).database, ...children.map((child) => variables(child).provider)],
    );
    assert.deepEqual(networks, ['pages', place.name, ...children.map(({ name }) => name)]);
    assert.equal(container, `tributary-${place.name}`);
    assert.equal(environment['TRIBUTARY_NODE'], place.name);
    assert.deepEqual(service(`${place.name}-db`).networks, [place.name]);
    assert.deepEqual(compose.networks[place.name], {
      name: `tributary-${place.name}`,
      internal: true,
    });
  }
});

void test('the country in containers is the country of `npm run poc`', async () => {
  const [poc, containers] = await Promise.all(
    ['topology/poc.yaml', 'topology/compose.yaml'].map(async (file) => {
      const whole = Topology.loose().parse(parse(await readFile(file, 'utf8')));
      const nodes = whole.nodes.map((node) =>
        Object.fromEntries(
          Object.entries(node).filter(
            ([key]) => !['http', 'disk', 'outage', 'spool'].includes(key),
          ),
        ),
      );
      return { ...whole, nodes };
    }),
  );
  assert.deepEqual(containers, poc);
});

void test('ports are published on 127.0.0.1 only, each once', () => {
  const ports = Object.values(compose.services).flatMap((one) => one.ports);
  assert.ok(ports.length >= country.places.length);
  assert.deepEqual(
    ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port)),
    [],
  );
  assert.equal(new Set(ports.map((port) => port.split(':')[1])).size, ports.length);
});

void test('images are pinned, memory and logs are bounded', async () => {
  for (const [name, { image, mem_limit: memory, logging }] of Object.entries(compose.services)) {
    assert.match(image, /:v?\d+\.\d+(\.\d+)?$/, name);
    assert.match(memory, /^\d+m$/, name);
    assert.equal(logging.driver, 'json-file', name);
    assert.match(`${logging.options['max-size']} ${logging.options['max-file']}`, /^\d+m \d+$/);
  }
  assert.match(await readFile('Dockerfile', 'utf8'), /^FROM node:24\.\d+\.\d+-bookworm-slim$/m);
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  assert.equal(service('kivara').image, `tributary:${version}`);
});

void test('a database keeps its data in a volume of its own, mounted where PostgreSQL 18 keeps it', () => {
  for (const { name } of country.places) {
    const mounts = service(`${name}-db`).volumes;
    assert.ok(mounts.includes(`${name}-data:/var/lib/postgresql`), name);
    assert.deepEqual(
      mounts.filter((mount) => mount.includes('/var/lib/postgresql/')),
      [],
    );
  }
  const named = Object.values(compose.services)
    .flatMap(({ volumes }) => volumes)
    .map((mount) => mount.split(':')[0] ?? '')
    .filter((source) => /^[a-z]/.test(source));
  assert.deepEqual([...new Set(named)].sort(), Object.keys(compose.volumes).sort());
});

void test('the log a database keeps for its parent is bounded as its topology says', async () => {
  const { nodes } = Topology.parse(parse(await readFile('topology/compose.yaml', 'utf8')));
  const bounds = nodes.flatMap(({ outage }) => (outage === undefined ? [] : [outage]));
  assert.deepEqual(
    bounds,
    country.places.slice(1).map(() => ({ log: '512MB' })),
  );
  for (const { name } of country.places) {
    assert.ok(service(`${name}-db`).command.includes('-cmax_slot_wal_keep_size=512MB'), name);
  }
});

void test('what is mounted from here exists, and every variable is set in .env', async () => {
  const sources = Object.values(compose.services).flatMap(({ volumes, env_file: files }) => [
    ...volumes.map((mount) => mount.split(':')[0] ?? '').filter((source) => source.startsWith('.')),
    ...files.map((file) => /:-(.*)\}$/.exec(file)?.[1] ?? file),
  ]);
  assert.ok(sources.length > 0);
  assert.deepEqual(
    sources.filter((source) => !existsSync(source)),
    [],
  );
  const set = new Set((await readFile('.env', 'utf8')).match(/^\w+(?==.)/gm));
  assert.ok(set.has('COMPOSE_PROFILES'));
  const used = [...text.matchAll(/\$\{(\w+)(:-)?/g)];
  assert.deepEqual(
    used.filter(([, name, defaulted]) => !set.has(name ?? '') && !defaulted).map(([all]) => all),
    [],
  );
});
