/** The page at `/`: what /api/status says, renewed every two seconds. Text is set as text, never as markup. */
export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tributary</title>
<style>
  :root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
  body { margin: 2rem auto; max-width: 64rem; padding: 0 1rem; }
  h1 { font-size: 1.3rem; margin: 0; }
  h2 { font-size: 1rem; margin: 1.6rem 0 .3rem; }
  table { border-collapse: collapse; width: 100%; }
  th, td { border-bottom: 1px solid #8884; padding: .25rem .8rem .25rem 0; text-align: left; vertical-align: top; }
  th { font-weight: 600; opacity: .7; }
  .ok { color: #16803c; } .warn { color: #b45309; } .bad { color: #c81e1e; }
  #problem { border-left: 4px solid #c81e1e; padding-left: .8rem; }
  #problem:empty { display: none; }
</style>
<h1 id="title">Tributary</h1>
<p id="line"></p>
<p id="problem"></p>
<h2>Streams</h2><table id="streams"></table>
<h2>Origins</h2><table id="origins"></table>
<h2>Slots</h2><table id="slots"></table>
<h2>Findings</h2><table id="findings"></table>
<script>
  const byId = (id) => document.getElementById(id);
  const bytes = (n) => n === null ? 'unknown' : n < 1024 ? n + ' B' : n < 1048576 ? (n / 1024).toFixed(1) + ' kB'
    : n < 1073741824 ? (n / 1048576).toFixed(1) + ' MB' : (n / 1073741824).toFixed(1) + ' GB';
  const age = (s) => s === null ? 'unknown' : s < 120 ? Math.round(s) + ' s' : s < 7200 ? Math.round(s / 60) + ' min'
    : s < 172800 ? Math.round(s / 3600) + ' h' : Math.round(s / 86400) + ' days';
  function fill(id, heads, rows) {
    const table = byId(id);
    table.replaceChildren();
    const cell = (row, tag, text, mood) => {
      const made = document.createElement(tag);
      made.textContent = text;
      if (mood) made.className = mood;
      row.append(made);
    };
    const head = table.insertRow();
    for (const text of heads) cell(head, 'th', text);
    for (const values of rows) {
      const row = table.insertRow();
      for (const value of values) Array.isArray(value) ? cell(row, 'td', value[0], value[1]) : cell(row, 'td', value);
    }
    if (rows.length === 0) cell(table.insertRow(), 'td', 'none');
  }
  const mood = { streaming: 'ok', starting: 'warn', proving: 'warn', retrying: 'warn', stopped: 'warn', paused: 'warn', person: 'bad' };
  function show(s) {
    document.title = s.title + ' - Tributary';
    byId('title').textContent = s.title + ' (' + s.node + ', ' + s.level + ')';
    byId('line').textContent = 'version ' + s.version + ', topology ' + s.topology.digest
      + (s.topology.valid ? '' : ' (the file last read has problems)') + ', '
      + (s.leader === 'leading' ? 'serving' : s.leader) + ', database ' + (s.database.up ? 'up' : 'down')
      + (s.disk ? ', ' + bytes(s.disk.freeBytes) + ' of ' + bytes(s.disk.totalBytes) + ' free' : '');
    byId('problem').textContent = [s.problem ? s.problem.text + ' (' + s.problem.code + '). ' + s.problem.advice : '']
      .concat(s.topology.problems).filter(Boolean).join(' ');
    fill('streams', ['from', 'state', 'behind', 'heartbeat', 'position', 'rows', 'reason'], s.streams.map((t) => [
      t.provider, [t.state, mood[t.state]], bytes(t.lagBytes), age(t.heartbeatAgeSeconds), t.position ?? '', t.rowsApplied,
      [t.problem && t.problem.text + ' (' + t.problem.code + '). ' + t.problem.advice, t.doubts.map((d) => d.name).join(', '), t.incompleteReason]
        .filter(Boolean).join(' ')]));
    fill('origins', ['origin', 'age', 'complete', 'by way of', 'reason'], s.freshness.map((f) => [
      f.origin, age(f.ageSeconds), f.complete ? ['yes', 'ok'] : ['no', 'warn'], f.via, f.reason ?? '']));
    fill('slots', ['slot', 'in use', 'retained', 'until lost', 'status'], s.slots.map((t) => [
      t.name, t.active ? ['yes', 'ok'] : ['no', 'warn'], bytes(t.retainedBytes), t.safeWalBytes === null ? 'no bound' : bytes(t.safeWalBytes), t.walStatus ?? '']));
    fill('findings', ['about', 'what', 'mended by'], s.findings.map((f) => [
      f.object, [f.problem, f.severity === 'error' ? 'bad' : 'warn'], f.advice]));
  }
  async function turn() {
    try {
      const answer = await fetch('/api/status');
      show(await answer.json());
    } catch {
      byId('problem').textContent = 'this page can not reach its node';
    }
    setTimeout(turn, 2000);
  }
  turn();
</script>
</html>
`;
