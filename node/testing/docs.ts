/** `npm run docs`: writes the pages that are made from code. */
import { writeFile } from 'node:fs/promises';
import { dashboards, fileOf } from '../../monitoring/dashboards/all.ts';
import { render } from '../../monitoring/dashboards/render.ts';
import { errorsPage } from '../cli/errors-page.ts';
import { metricsPage } from '../monitor/metrics-page.ts';

await writeFile('docs/errors.md', errorsPage());
await writeFile('docs/metrics.md', metricsPage());
for (const dashboard of dashboards) {
  await writeFile(fileOf(dashboard), render(dashboard));
}
