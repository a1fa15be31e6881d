/** `npm run docs`: writes the pages that are made from code. */
import { writeFile } from 'node:fs/promises';
import { errorsPage } from '../cli/errors-page.ts';
import { metricsPage } from '../monitor/metrics-page.ts';

await writeFile('docs/errors.md', errorsPage());
await writeFile('docs/metrics.md', metricsPage());
