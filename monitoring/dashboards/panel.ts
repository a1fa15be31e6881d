/** What a dashboard is made of, apart from how Grafana writes it. */

export type Unit = 's' | 'bytes' | 'Bps' | 'ops' | 'short' | 'percentunit';

export interface Query {
  /** PromQL; Grafana's variables $node and $__rate_interval may stand in it. */
  readonly expr: string;
  /** Such as `{{node}} from {{stream}}`; a table has columns instead. */
  readonly legend?: string;
}

/** From this value on, this colour; the first has value null. */
export interface Threshold {
  readonly value: number | null;
  readonly color: 'green' | 'yellow' | 'orange' | 'red' | 'blue' | 'text';
}

/** A number shown as a word. */
export interface Word {
  readonly value: number;
  readonly text: string;
  readonly color: Threshold['color'];
}

export interface Panel {
  readonly kind: 'stat' | 'timeseries' | 'bargauge' | 'table' | 'state-timeline';
  readonly title: string;
  /** What is to be seen, and when to worry. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Of 24 columns. */
  readonly width: number;
  readonly thresholds?: readonly Threshold[];
  readonly words?: readonly Word[];
  /** Columns of a table besides the value, in their order; the value's title. */
  readonly columns?: readonly string[];
  readonly valueTitle?: string;
}

export interface Row {
  readonly title: string;
  /** In units of Grafana's grid, for all panels of the row. */
  readonly height: number;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

/** A choice at the head of the page, filled by a query. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  /** A series of which the values of a label are the choices. */
  readonly from: { readonly series: string; readonly label: string };
}
