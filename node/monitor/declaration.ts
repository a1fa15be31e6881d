/** How a metric is declared: all that a reader of its page, its scrape or an alert has to know. */
export interface Declaration {
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  /** When to worry: what value or change of it asks for a person, and what says so. */
  readonly worry: string;
  readonly labels: readonly string[];
}

export type Declarations = Readonly<Record<`tributary_${string}`, Declaration>>;

/** As postgres_exporter names them, so that its dashboards and ours can be joined. */
export const slotLabels = ['slot_name', 'slot_type'] as const;
