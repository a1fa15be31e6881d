/** `npm run bench`: runs the benchmarks asked for, prints one table for each and one JSON of all. */
import { writeFile } from 'node:fs/promises';
import type { Section } from './benchmark.ts';
import { benchmarks } from './benchmarks.ts';
import { machine } from './machine.ts';
import { help, parseOptions } from './options.ts';
import { reportJson, reportText } from './report.ts';

const options = parseOptions(process.argv.slice(2));
if (options.help) {
  process.stdout.write(help);
} else {
  const sections: Section[] = [];
  for (const benchmark of benchmarks) {
    if (options.only?.includes(benchmark.name) ?? true) {
      sections.push(await benchmark.run(options, say));
    }
  }
  const report = { machine: machine(String(options.major)), options, sections };
  process.stdout.write(`${reportText(report)}\n`);
  if (options.json === null) {
    process.stdout.write(reportJson(report));
  } else {
    await writeFile(options.json, reportJson(report));
  }
}

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}
