-- One transaction of about 40 MB: a case at this place with 1,000 attachments, approved at once.
with place as (
  insert into public.facility (id, code, name, kind)
  values (gen_random_uuid(), 'archive-' || gen_random_uuid(), 'Archive', 'hospital')
  returning id
), report as (
  insert into public.case_report (id, facility_id, status, disease, onset, patient_name, approved_at)
  select gen_random_uuid(), place.id, 'approved', 'measles', current_date, 'Archive', now()
  from place
  returning id
)
insert into public.attachment (id, case_report_id, status, file_name, media_type, content)
select gen_random_uuid(), report.id, 'approved', 'scan-' || number, 'image/png', convert_to(repeat(md5(number::text), 640), 'UTF8')
from report, generate_series(1, 1000) as number;
