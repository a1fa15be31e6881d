/** Sections as text for a terminal and a document (markdown tables), and as one JSON object. Pure. */
import { type Cell, isMet, type Section, type Target } from './benchmark.ts';
import type { Machine } from './machine.ts';

export interface Report {
  readonly machine: Machine;
  readonly options: object;
  readonly sections: readonly Section[];
}

export function reportText({ machine, sections }: Report): string {
  const about = Object.entries(machine).map(([name, value]) => `${name}: ${value}`);
  return [...about, '', ...sections.map(sectionText)].join('\n');
}

export function reportJson(report: Report): string {
  const sections = report.sections.map((section) => ({
    ...section,
    targets: section.targets.map((target) => ({ ...target, met: isMet(target) })),
  }));
  return `${JSON.stringify({ ...report, sections }, null, 2)}\n`;
}

function sectionText(section: Section): string {
  const lines = [
    `## ${section.title}`,
    '',
    ...section.notes,
    '',
    row(section.columns),
    row(section.columns.map((_, index) => (index === 0 ? '---' : '--:'))),
    ...section.rows.map(row),
    '',
    ...section.targets.map(targetLine),
    '',
  ];
  return lines.join('\n');
}

function row(cells: readonly Cell[]): string {
  return `| ${cells.map(shown).join(' | ')} |`;
}

function shown(cell: Cell): string {
  if (typeof cell !== 'number') {
    return cell ?? '';
  }
  return Number.isInteger(cell) ? String(cell) : cell.toFixed(Math.abs(cell) >= 100 ? 0 : 2);
}

function targetLine(target: Target): string {
  const { what, value, wanted } = target;
  const bound = 'atLeast' in wanted ? `>= ${wanted.atLeast}` : `<= ${wanted.atMost}`;
  return `- ${isMet(target) ? 'reached' : 'NOT reached'}: ${what} ${shown(value)} (wanted ${bound})`;
}
