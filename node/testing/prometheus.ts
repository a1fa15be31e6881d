/**
 * A real Prometheus over the nodes of a test tree, by monitoring/prometheus.yml and monitoring/alerts.yml: only the
 * targets are others, the pace is a second, and every duration of the rules is divided by one factor.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { shortened } from '../../monitoring/shortened.ts';
import { freePort } from './free-port.ts';
import { undoAtExit } from './leftovers.ts';
import { until } from './until.ts';

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface PrometheusOptions {
  /** Node -> port of its process. */
  readonly targets: Readonly<Record<string, number>>;
  /** Durations of the rules are divided by it. */
  readonly factor: number;
}

const answer = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.enum(['vector', 'scalar']),
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: z.tuple([z.number(), z.string()]),
      }),
    ),
  }),
});

export class Prometheus implements AsyncDisposable {
  readonly #port: number;
  readonly #child: ChildProcess;
  readonly #directory: string;
  readonly #ended: () => void;

  private constructor(port: number, child: ChildProcess, directory: string) {
    this.#port = port;
    this.#child = child;
    this.#directory = directory;
    this.#ended = undoAtExit(() => child.kill('SIGKILL'));
  }

  /** On Debian: package prometheus. */
  static async installed(): Promise<boolean> {
    try {
      await promisify(execFile)('prometheus', ['--version']);
      return true;
    } catch {
      return false;
    }
  }

  /** Resolves when it is ready to be asked. */
  static async start(options: PrometheusOptions): Promise<Prometheus> {
    const directory = await mkdtemp(join(tmpdir(), 'tributary-prometheus-'));
    await writeFile(join(directory, 'prometheus.yml'), await configuration(options));
    const rules = await readFile('monitoring/alerts.yml', 'utf8');
    await writeFile(join(directory, 'alerts.yml'), shortened(rules, options.factor));
    const port = await freePort();
    const child = spawn(
      'prometheus',
      [
        '--config.file=prometheus.yml',
        '--storage.tsdb.path=data',
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { cwd: directory, stdio: 'ignore' },
    );
    const prometheus = new Prometheus(port, child, directory);
    await until(async () => await prometheus.#ready(), { what: 'Prometheus is ready' });
    return prometheus;
  }

  /** What the expression is now, without values that are no number. @throws Error when Prometheus refuses it. */
  async query(expr: string): Promise<readonly Series[]> {
    const url = `http://127.0.0.1:${this.#port}/api/v1/query`;
    const body = new URLSearchParams({ query: expr });
    const response = await fetch(url, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`Prometheus refuses ${expr}: ${text}`);
    }
    return answer.parse(JSON.parse(text)).data.result.flatMap(({ metric, value }) => {
      const number = Number(value[1]);
      return Number.isNaN(number) ? [] : [{ labels: metric, value: number }];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    this.#ended();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #ready(): Promise<boolean> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/-/ready`);
    return response.ok;
  }
}

const shipped = z.looseObject({
  rule_files: z.array(z.string()),
  scrape_configs: z.array(z.looseObject({ job_name: z.string() })),
});

/** The file as it is shipped, but for targets and pace; nobody is alerted. */
async function configuration({ targets }: PrometheusOptions): Promise<string> {
  const { alerting: _, ...whole } = shipped.parse(
    parse(await readFile('monitoring/prometheus.yml', 'utf8')),
  );
  return stringify({
    ...whole,
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    scrape_configs: whole.scrape_configs
      .filter((one) => one.job_name === 'tributary')
      .map((one) => ({
        ...one,
        scrape_timeout: '1s',
        static_configs: Object.entries(targets).map(([node, port]) => ({
          targets: [`127.0.0.1:${port}`],
          labels: { node },
        })),
      })),
  });
}
