/** The dashboards and the files Grafana reads them from; `npm run docs` writes them. */
import { links } from './links.ts';
import { network } from './network.ts';
import { node } from './node.ts';
import type { Dashboard } from './panel.ts';

export const dashboards: readonly Dashboard[] = [network, node, links];

/** From the repository's root. */
export function fileOf({ uid }: Dashboard): string {
  return `monitoring/grafana/dashboards/${uid}.json`;
}
