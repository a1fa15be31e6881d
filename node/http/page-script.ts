/** The script of the page at `/`. No library, no build: a browser of any datacentre runs it as it is. */
export const pageScript = `
  const byId = (id) => document.getElementById(id);
  const bytes = (n) => {
    if (n === null) return 'unknown';
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(n, 1)) / 10));
    return power === 0 ? n + ' B' : (n / 1024 ** power).toFixed(1) + ' ' + units[power];
  };
  const age = (s) => s === null ? 'unknown' : s < 120 ? Math.round(s) + ' s' : s < 7200 ? Math.round(s / 60) + ' min'
    : s < 172800 ? Math.round(s / 3600) + ' h' : Math.round(s / 86400) + ' days';
  const count = (n) => n.toLocaleString('en');
  const day = (text) => text.slice(0, 10);
  const make = (tag, text, mood) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (mood) made.className = mood;
    return made;
  };
  // A cell is a text, a text with a mood, or an element.
  function row(table, values, tag) {
    const made = table.insertRow();
    for (const value of values) {
      if (value instanceof Node) { const cell = make(tag); cell.append(value); made.append(cell); }
      else if (Array.isArray(value)) made.append(make(tag, value[0], value[1]));
      else made.append(make(tag, value));
    }
    return made;
  }
  function note(table, content, width) {
    const cell = make('td', undefined, 'note');
    cell.colSpan = width;
    cell.append(content);
    table.insertRow().append(cell);
    if (table.rows.length > 1) for (const above of table.rows[table.rows.length - 2].cells) above.style.borderBottom = '0';
  }
  function fill(id, heads, items, shown) {
    const table = byId(id);
    table.replaceChildren();
    table.closest('section').hidden = items.length === 0;
    row(table, heads, 'th');
    for (const item of items) shown(table, item);
  }
  function tile(text, label, mood) {
    const made = make('div', undefined, 'tile');
    made.append(make('b', text, mood), make('span', label));
    return made;
  }
  const moods = { streaming: 'ok', starting: 'warn', proving: 'warn', retrying: 'warn', stopped: 'warn', paused: 'warn', person: 'bad' };
  function copyLine(c) {
    const made = make('div', undefined, 'copy');
    const share = c.estimatedRows ? Math.min(1, c.rows / c.estimatedRows) : null;
    const bar = make('div', undefined, 'bar');
    const filled = make('i');
    filled.style.width = Math.round(100 * (share ?? 0)) + '%';
    bar.append(filled);
    const left = c.secondsLeft === null ? '' : ', about ' + age(c.secondsLeft) + ' left';
    made.append(
      make('span', c.table + ': ' + c.reason.replaceAll('_', ' ')),
      bar,
      make('span', c.state + ', ' + count(c.rows) + (c.estimatedRows === null ? ' rows' : ' of about ' + count(c.estimatedRows) + ' rows') + left,
        c.state === 'held' || c.state === 'failed' ? 'bad' : ''));
    return made;
  }
  function showStream(table, t) {
    const seen = t.heartbeatAgeSeconds === null ? ['unknown', 'warn'] : age(t.heartbeatAgeSeconds);
    const complete = t.complete === null ? ['unknown', 'warn'] : t.complete ? ['complete', 'ok'] : ['not complete', 'warn'];
    row(table, [t.provider, [t.state, 'word ' + moods[t.state]], seen, complete, bytes(t.lagBytes), count(t.rowsApplied), t.position ?? ''], 'td');
    for (const copy of t.copies.filter((one) => one.state !== 'done')) note(table, copyLine(copy), 7);
    const why = [
      t.problem && t.problem.text + ' (' + t.problem.code + '). ' + t.problem.advice,
      t.doubts.map((d) => d.name).join(', '),
      t.complete === false && t.doubtsMet.length > 0
        ? 'New slot since ' + t.doubtsMet[0].at.slice(0, 16).replace('T', ' ') + ' UTC: ' + t.doubtsMet[0].name + '. Every table is compared.' : '',
      t.retryInMs ? 'Tried again in ' + Math.ceil(t.retryInMs / 1000) + ' s.' : '',
      t.incompleteReason && 'Not complete: ' + t.incompleteReason + '.',
      ...t.parked.filter((p) => p.reason !== 'rewound').map((p) => p.table + ': ' + p.count + ' parked (' + p.reason + ').'),
      ...t.blocked.map((b) => b.table + ' is left alone' + (b.cause ? ' (' + b.cause + (b.column ? ' ' + b.column : '') + '). ' : '. ') + b.advice),
      ...t.partial.map((p) => p.table + ' goes in without ' + p.columns.join(', ') + '. Here: ' + p.mend),
      ...t.verified.filter((v) => v.state !== 'done').map((v) => v.table + ': comparison ' + v.state + ', ' + count(v.rows) + ' rows.'),
      ...t.verified.filter((v) => v.differing).map((v) => v.table + ': ' + count(v.differing) + ' rows differed at ' + v.through + ', see tributary reconcile.'),
    ].filter(Boolean).join(' ');
    if (why) note(table, make('span', why, t.state === 'person' ? 'bad' : 'warn'), 7);
    const times = t.verified.map((v) => v.through);
    if (times.length > 0 && !times.includes(null)) note(table, make('span', 'Verified through ' + times.sort()[0]), 7);
  }
  function show(s) {
    document.title = s.title + ' - Tributary';
    byId('title').textContent = s.title;
    byId('place').textContent = s.node + ', ' + s.level + (s.parent ? ' below ' + s.parent : '');
    byId('line').textContent = 'version ' + s.version + ', topology ' + s.topology.digest
      + (s.topology.valid ? '' : ' (the file last read has problems)');
    byId('problem').textContent = [s.problem ? s.problem.text + ' (' + s.problem.code + '). ' + s.problem.advice : '']
      .concat(s.topology.problems).filter(Boolean).join(' ');
    const { offlineSeconds, diskSeconds, slots } = s.forecast;
    byId('tiles').replaceChildren(...[
      tile(s.leader === 'leading' ? (s.ready ? 'serving' : 'not ready') : s.leader, 'this process', s.ready ? 'ok' : 'bad'),
      tile(s.database.up ? 'up' : 'down', 'PostgreSQL', s.database.up ? 'ok' : 'bad'),
      s.disk && tile(bytes(s.disk.freeBytes), 'free of ' + bytes(s.disk.totalBytes) + (diskSeconds === null ? '' : ', full in ' + age(diskSeconds)),
        s.disk.freeBytes < s.disk.totalBytes / 10 ? 'bad' : ''),
      s.parent && tile(age(offlineSeconds), 'may be cut off from ' + s.parent, offlineSeconds !== null && offlineSeconds < 86400 ? 'warn' : ''),
    ].filter(Boolean));
    fill('streams', ['from', 'state', 'heartbeat', 'copy', 'behind', 'rows applied', 'position'], s.streams, showStream);
    const last = s.streams.flatMap((t) => t.parked.filter((p) => p.reason === 'rewound').map((p) => ({ from: t.provider, ...p })));
    fill('rewound', ['from', 'table', 'rows', 'a person decides'], last, (table, r) => row(table, [
      r.from, r.table, [count(r.count), 'bad'], 'tributary rewound list|return|release --stream ' + r.from], 'td'));
    fill('origins', ['origin', 'figures are old', 'complete', 'by way of', 'reason'], s.freshness, (table, f) => row(table, [
      f.origin, f.retired ? 'closed' : f.ageSeconds === null ? ['never heard of', 'warn'] : age(f.ageSeconds), f.retired ? '' : f.complete ? ['yes', 'ok'] : ['no', 'warn'], f.via, f.reason ?? ''], 'td'));
    fill('probes', ['application', 'state', 'answers in', 'certificate until', 'since'], s.probes, (table, p) => row(table, [
      p.name, p.up ? ['online', 'word ok'] : ['down: ' + p.reason, 'word bad'], p.up ? Math.round(p.seconds * 1000) + ' ms' : '',
      p.certificateExpires ? [day(p.certificateExpires), Date.parse(p.certificateExpires) - Date.now() < 14 * 86400e3 ? 'bad' : ''] : '',
      p.since.slice(0, 16).replace('T', ' ') + ' UTC'], 'td'));
    fill('slots', ['slot', 'in use', 'log kept', 'until given up', 'state'], s.slots, (table, t) => {
      const left = slots.find((one) => one.name === t.name);
      row(table, [t.name, t.active ? ['yes', 'ok'] : ['no', 'warn'], bytes(t.retainedBytes),
        (t.safeWalBytes === null ? 'no bound' : bytes(t.safeWalBytes)) + (left ? ', about ' + age(left.seconds) : ''),
        [t.walStatus ?? '', t.walStatus === 'lost' || t.walStatus === 'unreserved' ? 'bad' : '']], 'td');
    });
    fill('findings', ['about', 'what', 'mended by'], s.findings, (table, f) => row(table, [
      f.object, [f.problem, f.severity === 'error' ? 'bad' : 'warn'], f.advice], 'td'));
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
`;
