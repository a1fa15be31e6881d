/** Plausible values of the health domain, all from one seeded source. */
import type { Random } from '../random.ts';

const diseases = [
  'measles',
  'cholera',
  'malaria',
  'yellow fever',
  'meningitis',
  'typhoid',
  'dengue',
];
const givenNames = [
  'Amina',
  'Tesfa',
  'Nuru',
  'Joram',
  'Selam',
  'Baraka',
  'Imani',
  'Zuri',
  'Kato',
  "O'Dela",
];
const familyNames = [
  'Abaro',
  'Kimathi',
  'Weldu',
  'Ñando',
  'Orisha',
  'Mbeki-Lund',
  'Tamrat',
  'Sólas',
];
const services = ['vaccination', 'maternity', 'laboratory', 'surgery', 'pharmacy', 'x-ray'];
const tests = ['PCR', 'RDT', 'culture', 'ELISA', 'microscopy', 'blood count'];
const units = ['g/dL', 'cells/µL', 'IU/mL', '%', null];
const symptoms = ['fever', 'rash', 'cough', 'diarrhoea', 'headache', 'vomiting', 'stiff neck'];
/** What breaks careless text handling: quotes, backslashes, line ends, empty text, other scripts. */
const remarks = [
  '',
  "it's stable",
  'a\\b "c"',
  'line 1\nline 2\tend',
  'የሕክምና ማስታወሻ',
  '{"a": null}',
  '🚑 urgent',
];

export const attachmentBytes = 20_000;

export function facility(random: Random, code: string): unknown[] {
  return [
    random.uuid(),
    code,
    `${random.pick(familyNames)} ${random.pick(['Hospital', 'Clinic', 'Post'])}`,
    random.pick(['hospital', 'health_centre', 'health_post']),
    random.chance(0.3) ? null : random.integer(0, 400),
    (random.fraction() * 20 - 10).toFixed(6),
    (random.fraction() * 20 + 30).toFixed(6),
    JSON.stringify(services.filter(() => random.chance(0.5))),
  ];
}

export function caseReport(random: Random, facility: string): unknown[] {
  return [
    random.uuid(),
    facility,
    random.pick(diseases),
    `2026-${String(random.integer(1, 11)).padStart(2, '0')}-${String(random.integer(1, 28)).padStart(2, '0')}`,
    `${random.pick(givenNames)} ${random.pick(familyNames)}`,
    random.chance(0.05) ? null : random.integer(0, 95),
    random.chance(0.1) ? null : temperature(random),
    symptomsOf(random),
    narrative(random),
  ];
}

export function laboratoryResult(random: Random, caseReport: string): unknown[] {
  return [
    random.uuid(),
    caseReport,
    random.pick(tests),
    result(random),
    random.pick(units),
    random.pick([true, false, null]),
    new Date(Date.UTC(2026, random.integer(0, 10), random.integer(1, 28), random.integer(0, 23))),
    symptoms.filter(() => random.chance(0.2)),
    random.chance(0.2) ? random.text(random.integer(2500, 6000)) : random.pick(remarks),
  ];
}

export function attachment(random: Random, caseReport: string): unknown[] {
  return [
    random.uuid(),
    caseReport,
    `scan-${random.integer(1, 99_999)}.jpg`,
    random.pick(['image/jpeg', 'application/pdf']),
    random.bytes(attachmentBytes),
    random.pick(remarks),
    JSON.stringify({ pages: random.integer(1, 9), device: random.pick(remarks) }),
  ];
}

/** Sometimes large: then the jsonb is kept out of line as well. */
export function symptomsOf(random: Random): string {
  const seen = Object.fromEntries(symptoms.map((symptom) => [symptom, random.chance(0.3)]));
  return JSON.stringify({
    ...seen,
    note: random.chance(0.15) ? random.text(random.integer(3000, 9000)) : random.pick(remarks),
  });
}

/** A third is long enough to be kept out of line. */
export function narrative(random: Random): string | null {
  return random.weighted({ none: 1, short: 3, long: 2 }) === 'long'
    ? random.text(random.integer(3000, 12_000))
    : random.chance(0.2)
      ? null
      : random.pick(remarks);
}

export function temperature(random: Random): string {
  return (35 + random.fraction() * 7).toFixed(1);
}

/** Doubles, including those whose text is easily got wrong. */
export function result(random: Random): string {
  return random.chance(0.1)
    ? random.pick(['0', '-0', 'NaN', 'Infinity', '1e-300', '0.1'])
    : String(random.fraction() * 1000);
}

export function person(random: Random): string {
  return `${random.pick(givenNames)} ${random.pick(familyNames)}`;
}
