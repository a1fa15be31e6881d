/** The statements of the health application. `$1` is always what the row or rows are found by. */

export const insertFacility = `
  insert into public.facility (id, code, name, kind, beds, latitude, longitude, services)
  values ($1, $2, $3, $4, $5, $6, $7, $8)`;

export const editFacility = `
  update public.facility
  set beds = $2, active = $3, revision = revision + 1, updated = clock_timestamp()
  where id = $1`;

export const insertCaseReport = `
  insert into public.case_report
    (id, facility_id, disease, onset, patient_name, patient_age, temperature, symptoms, narrative)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

export const insertLaboratoryResult = `
  insert into public.laboratory_result
    (id, case_report_id, test, result, unit, positive, sampled, flags, report)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

export const insertAttachment = `
  insert into public.attachment
    (id, case_report_id, file_name, media_type, content, description, metadata)
  values ($1, $2, $3, $4, $5, $6, $7)`;

/** Approval touches no large value. */
export const approveCaseReport = `
  update public.case_report
  set status = 'approved', approved_at = clock_timestamp(), approved_by = $2,
    revision = revision + 1, updated = clock_timestamp()
  where id = $1`;

export const withdrawCaseReport = `
  update public.case_report
  set status = 'withdrawn', approved_at = null, revision = revision + 1, updated = clock_timestamp()
  where id = $1`;

export const editCaseReport = `
  update public.case_report
  set temperature = $2, revision = revision + 1, updated = clock_timestamp()
  where id = $1`;

export const rewriteCaseReport = `
  update public.case_report
  set narrative = $2, symptoms = $3, revision = revision + 1, updated = clock_timestamp()
  where id = $1`;

export const editLaboratoryResults = `
  update public.laboratory_result
  set result = $2, revision = revision + 1, updated = clock_timestamp()
  where id = any ($1::uuid[])`;

export const editAttachments = `
  update public.attachment
  set description = $2, revision = revision + 1, updated = clock_timestamp()
  where id = any ($1::uuid[])`;

export const replaceAttachments = `
  update public.attachment
  set content = $2, revision = revision + 1, updated = clock_timestamp()
  where id = any ($1::uuid[])`;

export const deleteCaseReport = 'delete from public.case_report where id = $1';

export type PartTable = 'laboratory_result' | 'attachment';

export const setStatus: Readonly<Record<PartTable, string>> = {
  laboratory_result: `
    update public.laboratory_result
    set status = $2, revision = revision + 1, updated = clock_timestamp()
    where id = any ($1::uuid[])`,
  attachment: `
    update public.attachment
    set status = $2, revision = revision + 1, updated = clock_timestamp()
    where id = any ($1::uuid[])`,
};

export const deleteParts: Readonly<Record<PartTable, string>> = {
  laboratory_result: 'delete from public.laboratory_result where id = any ($1::uuid[])',
  attachment: 'delete from public.attachment where id = any ($1::uuid[])',
};
