/**
 * Draws the tree once and renews its figures every second from GET /api/state. Text is set as text, never as markup.
 * A figure that is not known is shown as unknown, never as zero.
 */

const everyMs = 1000;
/** Heartbeats come every 2 s and travel two hops. */
const freshSeconds = 8;

const names = {
  facility: 'facilities',
  case_report: 'cases',
  laboratory_result: 'results',
  attachment: 'attachments',
};

const byId = (id) => document.getElementById(id);
const places = new Map();

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

function button(label, line) {
  const element = make('button', '', label);
  element.type = 'button';
  element.dataset.line = line;
  element.addEventListener('click', () => void act(element.dataset.line));
  return element;
}

async function act(line) {
  byId('said').textContent = '';
  const answer = await fetch('/api/command', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ line }),
  }).catch(() => null);
  if (!answer?.ok) {
    const said = await answer?.json().catch(() => null);
    byId('said').textContent = said?.error ?? 'that did not work';
  }
  await refresh();
}

function age(seconds) {
  if (seconds === null || seconds === undefined) {
    return 'unknown';
  }
  if (seconds < 100) {
    return `${Math.max(0, seconds).toFixed(seconds < 10 ? 1 : 0)} s`;
  }
  return seconds < 6000 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

function bytes(count) {
  if (count === null || count === undefined) {
    return 'unknown';
  }
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = count < 1 ? 0 : Math.min(4, Math.floor(Math.log10(count) / 3));
  return `${(count / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** Number and name pairs of a <dl>, changed in place so that nothing flickers. */
function figures(list, pairs) {
  while (list.children.length > pairs.length) {
    list.lastElementChild.remove();
  }
  pairs.forEach(({ name, value, mood = '', small = '', hint = '' }, index) => {
    let pair = list.children[index];
    if (!pair) {
      pair = make('div', '', make('dt', ''), make('dd', ''));
      list.append(pair);
    }
    pair.className = mood;
    pair.title = hint;
    pair.firstElementChild.textContent = name;
    pair.lastElementChild.replaceChildren(value, ...(small ? [make('small', '', small)] : []));
  });
}

/** The districts below a place, in the order of the tree. */
function districts(all, name) {
  const children = all.filter((place) => place.parent === name);
  return children.length === 0 ? [name] : children.flatMap((child) => districts(all, child.name));
}

function build(state) {
  const tree = byId('tree');
  const order = districts(state.places, state.places.find((place) => place.parent === null).name);
  tree.style.setProperty('--districts', order.length);
  const rows = state.levels.toReversed();
  for (const place of state.places) {
    const below = districts(state.places, place.name);
    const view = buildPlace(place, state.levels[0]);
    view.root.style.gridColumn = `${order.indexOf(below[0]) + 1} / span ${below.length}`;
    view.root.style.gridRow = rows.indexOf(place.level) + 1;
    tree.append(view.root);
    places.set(place.name, view);
  }
}

function caption(text) {
  return make('p', 'quiet caption', text);
}

function buildPlace(place, leaf) {
  const view = {
    river: make('div', 'river'),
    word: make('div', 'word'),
    lag: make('div', 'lag'),
    cut: button('Cut link', `cut ${place.name}`),
    silence: button('Silence', `silence ${place.name}`),
    state: make('div', 'state'),
    freshness: make('dl', 'freshness'),
    rows: make('dl', 'rows'),
    trouble: make('p', 'trouble'),
    node: button('Kill node', `kill-node ${place.name}`),
    database: button('Kill database', `kill-database ${place.name}`),
  };
  view.link = make(
    'div',
    'link',
    make('div', 'says', view.word, view.lag),
    view.river,
    make('div', 'actions', view.cut, view.silence),
  );
  view.link.hidden = place.parent === null;
  view.card = make(
    'section',
    'card',
    make('div', 'head', make('h2', '', nodePage(place)), view.state),
    make(
      'div',
      'body',
      place.level === leaf
        ? ''
        : make('div', '', caption('age of the newest heartbeat'), view.freshness),
      make(
        'div',
        '',
        caption(place.level === leaf ? 'approved rows of all rows' : 'rows'),
        view.rows,
      ),
    ),
    make('div', 'actions', view.node, view.database, view.trouble),
  );
  view.root = make('div', 'place', view.link, view.card);
  return view;
}

function nodePage({ title, address }) {
  const link = make('a', '', title);
  link.href = address;
  return link;
}

/** Word and mood of a place. Only its own processes and what its node says count, not its link. */
function stateOf(place) {
  if (place.database === 'stopped') {
    return ['database down', 'bad'];
  }
  if (place.node === 'stopped') {
    return ['node down', 'bad'];
  }
  if (place.status === null) {
    return ['no answer yet', 'late'];
  }
  const streams = place.status.streams ?? [];
  if (streams.some((stream) => stream.state === 'person')) {
    return ['needs a person', 'bad'];
  }
  const away = streams.filter((stream) => stream.state !== 'streaming').length;
  return away > 0 ? [`waits for ${away} of ${streams.length}`, 'late'] : ['running', 'good'];
}

/** What the parent says of its stream from this place, and whether the link is cut. */
function linkOf(place, parent) {
  const stream = parent?.status?.streams?.find(({ provider }) => provider === place.name);
  const lag = stream
    ? `heartbeat ${age(stream.heartbeatAgeSeconds)}, behind ${bytes(stream.lagBytes)}`
    : 'lag unknown';
  if (place.link === 'cut' || place.link === 'silent') {
    return { word: place.link === 'cut' ? 'link cut' : 'link silent', lag, mood: 'bad' };
  }
  if (!stream) {
    return { word: 'unknown', lag, mood: 'late' };
  }
  const fresh = stream.heartbeatAgeSeconds !== null && stream.heartbeatAgeSeconds < freshSeconds;
  const mood =
    stream.state === 'person'
      ? 'bad'
      : stream.state === 'streaming' && fresh
        ? 'good flows'
        : 'late';
  return { word: stream.state, lag, mood };
}

function troubleOf(place) {
  const problems = [place.status?.problem, ...(place.status?.streams ?? []).map((s) => s.problem)];
  const found = problems.find((problem) => problem?.text);
  return found ? `${found.text} (${found.code})` : '';
}

function freshnessOf(place, all) {
  const known = place.status?.freshness ?? [];
  return districts(all, place.name)
    .filter((name) => name !== place.name)
    .map((name) => {
      const found = known.find(({ origin }) => origin === name);
      const seconds = found?.ageSeconds ?? null;
      const whole = found?.complete ?? false;
      return {
        name: all.find((other) => other.name === name).title.replace(/ District$/, ''),
        value: seconds === null ? 'unknown' : age(seconds),
        small: seconds !== null && !whole ? ' incomplete' : '',
        mood: seconds !== null && whole && seconds < freshSeconds ? 'good' : 'late',
        hint: found?.reason ?? '',
      };
    });
}

function rowsOf(place, leaf) {
  return (place.rows ?? []).map(({ table, rows, approved }) => ({
    name: names[table] ?? table,
    value: approved.toLocaleString('en'),
    small: leaf && table !== 'facility' ? ` of ${rows.toLocaleString('en')}` : '',
  }));
}

function toggle(element, broken, { mend, harm }) {
  const [label, line] = broken ? mend : harm;
  element.textContent = label;
  element.dataset.line = line;
  element.className = broken ? 'mend' : '';
}

function drawPlace(place, state) {
  const view = places.get(place.name);
  const { name } = place;
  const [word, mood] = stateOf(place);
  view.card.className = `card ${mood}`;
  view.state.textContent = word;
  view.trouble.textContent = troubleOf(place);
  figures(view.freshness, freshnessOf(place, state.places));
  figures(view.rows, rowsOf(place, place.level === state.levels[0]));
  toggle(view.node, place.node === 'stopped', {
    mend: ['Restart node', `restart-node ${name}`],
    harm: ['Kill node', `kill-node ${name}`],
  });
  toggle(view.database, place.database === 'stopped', {
    mend: ['Restart database', `restart-database ${name}`],
    harm: ['Kill database', `kill-database ${name}`],
  });
  if (place.parent !== null) {
    drawLink(place, state);
  }
}

function drawLink(place, state) {
  const view = places.get(place.name);
  const link = linkOf(
    place,
    state.places.find(({ name }) => name === place.parent),
  );
  view.link.className = `link ${link.mood}`;
  view.word.textContent = link.word;
  view.lag.textContent = link.lag;
  toggle(view.cut, place.link !== 'open', {
    mend: ['Heal link', `heal ${place.name}`],
    harm: ['Cut link', `cut ${place.name}`],
  });
  view.silence.hidden = place.link !== 'open';
}

function draw(state) {
  if (places.size === 0) {
    build(state);
  }
  document.title = `${state.title}: Tributary`;
  byId('title').textContent = state.title;
  const { cuts, nodeKills, databaseKills } = state.faults;
  byId('run').textContent =
    `${Math.round(state.seconds)} s${state.forSeconds ? `, load for ${state.forSeconds} s` : ''}, seed ${state.seed}, ` +
    `${cuts} cuts and ${nodeKills + databaseKills} kills by plan`;
  figures(
    byId('tally'),
    Object.entries(state.transitions).map(([name, count]) => ({
      name: name.replaceAll('_', ' '),
      value: count.toLocaleString('en'),
    })),
  );
  byId('events').replaceChildren(...state.events.slice(0, 6).map((text) => make('li', '', text)));
  for (const place of state.places) {
    drawPlace(place, state);
  }
}

async function refresh() {
  try {
    const answer = await fetch('/api/state');
    draw(await answer.json());
    byId('alone').hidden = true;
  } catch {
    byId('alone').hidden = false;
  }
}

async function turn() {
  await refresh();
  setTimeout(() => void turn(), everyMs);
}

void turn();
