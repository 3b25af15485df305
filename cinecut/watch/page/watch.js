"use strict";
// The page of `cinecut watch`: edits, keys, the mix. The server sends its state whenever that changes; every edit is one request, which
// changes the spec's file. All texts are set as text, never as HTML.

// Editing

const READING = 10000; // ms for which it is shown why an edit was not made
let refused = "", reading = 0; // why the last edit was not made, and the timer that takes that away
const waiting = []; // edits that were asked for and not made yet
let sending = false;

// Edits are made one after the other, each of the trailer as the one before has left it: `action` is a function of the
// event at the place that was selected when the edit was asked for.
function edit(action, index = selected) {
  waiting.push(() => (events()[index] ? action(events()[index]) : null));
  makeNext();
}
async function makeNext() {
  const settled = state.broken || state.described === state.revision;
  if (sending || !settled || waiting.length === 0) return;
  const action = waiting.shift()();
  if (action === null) { makeNext(); return; }
  sending = true;
  let made = null;
  try {
    const answer = await fetch("edit", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...action, revision: state.revision }),
    });
    const body = await answer.json();
    refused = answer.ok ? "" : `not done: ${body.error}`;
    if (answer.ok) made = body;
  } catch {
    refused = "not done: cinecut watch does not answer";
  }
  sending = false;
  clearTimeout(reading);
  if (refused) {
    waiting.length = 0; // those were meant for what it would have become
    reading = setTimeout(() => { refused = ""; sayState(); }, READING);
  }
  if (made) take(made);
  sayState();
  makeNext();
}
const filmFrame = () => Number($("film-frame").value);
function move(by) {
  const from = selected, to = selected + by;
  if (!events()[to]) return;
  selected = to;
  edit((event) => (events()[to] ? { do: "move", entry: event.entry, to: events()[to].entry } : null), from);
}
function onFilm(make) { // an edit by the frame of the film that is marked now
  if (events()[selected].in === undefined) return;
  const frame = filmFrame();
  edit((event) => make(event.entry, frame));
}
const actions = {
  play: () => play(!moving()),
  loop: () => { looping = !looping; $("loop").setAttribute("aria-pressed", String(looping)); },
  "frame-back": () => { play(false); seek(frame() - 1); },
  "frame-on": () => { play(false); seek(frame() + 1); },
  "event-back": () => step(-1), "event-on": () => step(1),
  "act-back": () => jump(marks.act(), -1), "act-on": () => jump(marks.act(), 1),
  "beat-back": () => jump(marks.beat(), -1), "beat-on": () => jump(marks.beat(), 1),
  "bar-back": () => jump(marks.bar(), -1), "bar-on": () => jump(marks.bar(), 1),
  "mark-in": () => onFilm((entry, frame) => ({ do: "trim", entry, in: frame })),
  "mark-out": () => onFilm((entry, frame) => ({ do: "trim", entry, out: frame })),
  hit: () => onFilm((entry, frame) => ({ do: "sync", entry, at: frame })),
  length: () => {
    const length = `${Number($("amount").value)} ${$("unit").value}`;
    edit((event) => ({ do: "trim", entry: event.entry, for: length }));
  },
  smaller: () => rescale(0.5), larger: () => rescale(2),
  earlier: () => move(-1), later: () => move(1),
  duplicate: () => edit((event) => ({ do: "duplicate", entry: event.entry })),
  delete: () => edit((event) => ({ do: "remove", entry: event.entry })),
  undo: () => edit(() => ({ do: "undo" })), redo: () => edit(() => ({ do: "redo" })),
};
function step(by) {
  if (!events().length) return;
  const index = Math.max(0, Math.min(events().length - 1, selected + by)), button = lane("events").children[index];
  const held = lane("events").contains(document.activeElement);
  select(index);
  seek(events()[index].start);
  if (held) button.focus({ preventScroll: true });
  button.scrollIntoView({ block: "nearest", inline: "nearest" });
}
// Who points at a button goes on with the keys of the player: no button takes the space bar, and a value that was typed
// is taken.
document.addEventListener("mousedown", (press) => {
  if (!press.target.closest("button")) return;
  press.preventDefault();
  document.activeElement.blur();
});
document.addEventListener("click", (click) => {
  const button = click.target.closest("[data-do]");
  if (button) actions[button.dataset.do]();
});
$("film-frame").addEventListener("input", showFilm);
const KEYS = { " ": "play", k: "play", r: "loop", i: "mark-in", o: "mark-out", h: "hit", d: "duplicate", Delete: "delete",
  "+": "larger", "-": "smaller", ",": "beat-back", ".": "beat-on", "<": "bar-back", ">": "bar-on", ArrowLeft: "frame-back", ArrowRight: "frame-on" };
document.addEventListener("keydown", (key) => {
  if (key.target.matches("input:not([type=range]), select, textarea")) return;
  if (key.target.matches("button") && (key.key === " " || key.key === "Enter")) return;
  let wanted = KEYS[key.key.length === 1 ? key.key.toLowerCase() : key.key];
  if (key.ctrlKey || key.metaKey) wanted = key.key.toLowerCase() === "z" ? (key.shiftKey ? "redo" : "undo") : undefined;
  else if (key.altKey) wanted = { ArrowLeft: "earlier", ArrowRight: "later" }[key.key];
  else if (key.shiftKey && key.key.startsWith("Arrow")) wanted = { ArrowLeft: "event-back", ArrowRight: "event-on" }[key.key];
  else if (key.key.toLowerCase() === "j") { shuttle(-1); return; }
  else if (key.key.toLowerCase() === "l") { shuttle(1); return; }
  if (wanted === undefined || (key.target.matches("input") && key.key.startsWith("Arrow") && !key.shiftKey && !key.altKey)) return;
  key.preventDefault();
  actions[wanted]();
});

// The mix

const muted = {}; // the level of each stem before it was muted
function drawMix() {
  const box = $("mix"), focused = document.activeElement.id;
  box.replaceChildren();
  for (const [stem, level] of Object.entries(state.trailer.mix)) {
    const label = document.createElement("label"), input = document.createElement("input"), mute = document.createElement("button");
    input.type = "number";
    input.min = -60;
    input.max = 20;
    input.value = level;
    input.id = `mix-${stem}`;
    const set = (value) => edit(() => ({ do: "set", path: `mix.${stem}`, value }));
    input.step = "any";
    input.addEventListener("change", () => set(Number(input.value)));
    label.textContent = `${stem} `;
    label.append(input, " dB");
    mute.textContent = "mute";
    mute.setAttribute("aria-label", `mute ${stem}`);
    mute.setAttribute("aria-pressed", String(level <= -60));
    mute.id = `mute-${stem}`;
    mute.addEventListener("click", () => {
      const now = state.trailer.mix[stem];
      if (now > -60) muted[stem] = now;
      set(now > -60 ? -60 : muted[stem] ?? 0);
    });
    const strip = document.createElement("div");
    strip.append(label, mute);
    box.append(strip);
  }
  if (focused.startsWith("mute-")) $(focused).focus();
}

// The state

let lost = ""; // why no news come
function say(kind, text) {
  document.body.dataset.state = kind;
  if ($("status").textContent !== text) $("status").textContent = text; // it is read out whenever it changes
}
function sayState() {
  $("progress").value = state.percent;
  if (lost) say("lost", lost);
  else if (refused) say("refused", refused);
  else if (state.progress) say("rendering", state.progress);
  else if (state.broken) say("broken", state.draft ? "mistakes: the last good draft plays" : "mistakes");
  else say(state.draft ? "ready" : "starting", state.draft ? "ready" : "starting");
  $("empty").textContent = state.broken ? "Nothing can be played yet: mend the mistakes in the file." : "The first draft is being rendered.";
}
function take(next) { // an edit's answer may come later than the news of what it did
  if (next.number <= state.number) return;
  state = next;
  $("spec").textContent = state.spec;
  document.title = `${state.spec} - cinecut watch`;
  const box = $("mistakes");
  box.hidden = state.mistakes.length === 0;
  box.classList.toggle("warning", !state.broken);
  box.setAttribute("aria-label", state.broken ? "Mistakes" : "Warnings");
  const mistakes = state.mistakes.join("\n\n");
  if (box.firstElementChild.textContent !== mistakes) box.firstElementChild.textContent = mistakes;
  document.body.dataset.revision = state.revision;
  document.body.dataset.drafted = state.drafted;
  sayState();
  drawTimeline();
  takeDraft();
  makeNext();
}
const changes = new EventSource("changes");
changes.onopen = () => { lost = ""; sayState(); };
changes.onmessage = (message) => take(JSON.parse(message.data));
changes.onerror = () => { // the browser tries again, unless somebody else answers
  const other = changes.readyState === EventSource.CLOSED;
  lost = other ? "cinecut watch was started again: open the address that it printed" : "connection lost: does cinecut watch still run?";
  sayState();
};
requestAnimationFrame(tick);
