/** OpenAPI description of the HTTP interface, made from the schema of what it answers. */
import { z } from 'zod';
import { statusReport } from './status-report.ts';

export function openApi(version: string): object {
  const problems = {
    type: 'object',
    properties: { problems: { type: 'array', items: { type: 'string' } } },
  };
  return {
    openapi: '3.1.0',
    info: { title: 'Tributary', version },
    paths: {
      '/api/status': {
        get: {
          summary:
            'How this node is: streams, freshness per origin, slots, disk, findings. No row values.',
          responses: {
            200: { description: 'the status', content: json(z.toJSONSchema(statusReport)) },
          },
        },
      },
      '/api/reload': {
        post: {
          summary: 'Reads the topology file again; from the machine itself only.',
          responses: {
            200: { description: 'the file is in force', content: json(problems) },
            422: { description: 'it has problems; the one before stays', content: json(problems) },
          },
        },
      },
      '/livez': {
        get: { summary: 'The process lives.', responses: { 200: { description: 'yes' } } },
      },
      '/readyz': {
        get: {
          summary: 'This process serves the node.',
          responses: { 200: { description: 'yes' }, 503: { description: 'no, and why' } },
        },
      },
      '/metrics': {
        get: {
          summary: 'Metrics in the text format of Prometheus.',
          responses: { 200: { description: 'the metrics' } },
        },
      },
    },
  };
}

function json(schema: object): object {
  return { 'application/json': { schema } };
}
