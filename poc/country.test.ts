import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'yaml';
import { Country, movePorts, variables } from './country.ts';

const file = new URL('../topology/poc.yaml', import.meta.url).pathname;

void test('the country has one nation, two regions and four districts', async () => {
  const country = await Country.read(file);
  assert.equal(country.root.level, 'nation');
  assert.equal(country.children(country.root.name).length, 2);
  assert.equal(country.districts(country.root.name).length, 4);
  assert.deepEqual(
    country.districts('coast').map((place) => place.name),
    ['lowabay', 'marendi'],
  );
});

void test('the topology names exactly the variables the secrets are given in', async () => {
  const country = await Country.read(file);
  const text = await readFile(file, 'utf8');
  const named = [...text.matchAll(/\$\{(\w+)\}/g)].map((match) => String(match[1]));
  const given = country.places.flatMap((place) => {
    const { database, provider } = variables(place);
    return place.parent === null ? [database] : [database, provider];
  });
  assert.deepEqual(named.sort(), given.sort());
});

void test('moved ports change nothing else', async () => {
  const text = await readFile(file, 'utf8');
  const moved = movePorts(text, 7400, 8000);
  assert.match(moved, /port: 8007/);
  assert.doesNotMatch(moved, /port: 74/);
  assert.equal(strip(moved), strip(text));
});

function strip(yaml: string): string {
  return JSON.stringify(parse(yaml)).replaceAll(/"port":\d+/g, '');
}
