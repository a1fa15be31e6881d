/** What a PromQL expression names, by Prometheus' own grammar. */
import { parser } from '@prometheus-io/lezer-promql';

export interface Selector {
  readonly metric: string;
  /** Labels its matchers name. */
  readonly labels: readonly string[];
}

/** Every selector of the expression. @throws Error with the place where it can not be read. */
export function selectorsOf(expression: string): readonly Selector[] {
  const text = (node: { readonly from: number; readonly to: number }): string =>
    expression.slice(node.from, node.to);
  const selectors: Selector[] = [];
  parser.parse(expression).iterate({
    enter: ({ node }) => {
      if (node.type.isError) {
        throw new Error(`not PromQL at ${node.from}: ${expression.slice(node.from) || 'the end'}`);
      }
      if (node.name === 'VectorSelector') {
        const name = node.getChild('Identifier');
        const matchers = node.getChild('LabelMatchers');
        const each = matchers?.getChildren('UnquotedLabelMatcher') ?? [];
        const labels = each.map((matcher) => matcher.getChild('LabelName'));
        selectors.push({
          metric: name ? text(name) : '',
          labels: labels.map((label) => (label ? text(label) : '')),
        });
      }
    },
  });
  return selectors;
}
