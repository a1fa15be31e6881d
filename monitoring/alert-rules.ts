/** monitoring/alerts.yml as data. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';

const recording = z.strictObject({
  record: z.string(),
  expr: z.string(),
  labels: z.record(z.string(), z.string()).optional(),
});

const alerting = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
  annotations: z.strictObject({ summary: z.string(), runbook: z.string() }),
});

const file = z.strictObject({
  groups: z.array(
    z.strictObject({ name: z.string(), rules: z.array(z.union([recording, alerting])) }),
  ),
});

export interface Rules {
  readonly alerts: readonly z.infer<typeof alerting>[];
  readonly recordings: readonly z.infer<typeof recording>[];
}

/** @throws z.ZodError, if a rule is not as all are here: an alert has a severity, a summary and a runbook. */
export async function readRules(path: string): Promise<Rules> {
  const { groups } = file.parse(parse(await readFile(path, 'utf8')));
  const rules = groups.flatMap((group) => group.rules);
  return {
    alerts: rules.filter((rule) => 'alert' in rule),
    recordings: rules.filter((rule) => 'record' in rule),
  };
}
