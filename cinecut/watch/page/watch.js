"use strict";
// The page of `cinecut watch`. The server sends its state whenever that changes; every edit is one request, which
// changes the spec's file. All texts are set as text, never as HTML.

// The timeline

const ROW = 1.35; // rem, the height of a lane
function block(lane, start, end, text, tag = "div") {
  const element = document.createElement(tag);
  element.style.left = `${start * scale}px`;
  element.style.width = `${Math.max(2, (end - start) * scale - 1)}px`;
  element.title = text;
  const label = document.createElement("span");
  label.textContent = text;
  element.append(label);
  lane.append(element);
  return element;
}
function stack(lane, sounds) { // those that overlap lie one below the other
  const ends = []; // where each row is free again
  for (const sound of sounds) {
    let row = ends.findIndex((end) => end <= sound.start);
    if (row < 0) row = ends.length;
    ends[row] = sound.end;
    block(lane, sound.start, sound.end, sound.name).style.top = `${row * ROW + 0.06}rem`;
  }
  lane.style.height = `${Math.max(1, ends.length) * ROW}rem`;
}
const lane = (name) => document.querySelector(`.lane.${name}`);
function drawTimeline() {
  const trailer = state.trailer;
  const text = JSON.stringify(trailer);
  if (text === shown || !trailer.events) return;
  shown = text;
  selected = Math.min(selected, trailer.events.length - 1);
  scale = Math.max(0.5, Math.min(ZOOM, 60000 / Math.max(1, trailer.frames)));
  $("lanes").style.width = `${trailer.frames * scale}px`;
  for (const name of ["acts", "events", "titles", "effects", "voices", "songs"]) lane(name).replaceChildren();
  for (const act of trailer.acts) block(lane("acts"), act.start, act.end, act.name);
  for (const [index, event] of trailer.events.entries()) {
    const button = block(lane("events"), event.start, event.end, event.name, "button");
    button.setAttribute("role", "option");
    button.setAttribute("aria-label", `${event.name}, ${clock(event.start / rate())} to ${clock(event.end / rate())}`);
    button.addEventListener("click", () => { select(index); seek(event.start); });
    for (const title of event.titles) block(lane("titles"), event.start, event.end, title);
    if (event.card) block(lane("titles"), event.start, event.end, event.card);
  }
  for (const name of ["effects", "voices", "songs"]) stack(lane(name), trailer[name]);
  const beats = lane("beats"), pen = canvas(beats, 12);
  for (const beat of trailer.beats) {
    pen.fillStyle = beat.bar ? "#3b82f6" : "#8888";
    pen.fillRect(beat.frame * scale, beat.bar ? 0 : 5, 1, 12);
  }
  if (!document.activeElement.matches("#mix input")) drawMix(); // a level that is being typed stays
  select(selected, true);
  drawStills();
}
function canvas(element, height) {
  element.width = Math.min(32000, Math.ceil(state.trailer.frames * scale));
  element.height = height;
  element.style.width = `${state.trailer.frames * scale}px`;
  const pen = element.getContext("2d");
  pen.setTransform(element.width / (state.trailer.frames * scale), 0, 0, 1, 0, 0);
  return pen;
}
async function drawSound(draft) {
  const answer = await fetch(`draft/${draft}/outline`);
  if (!answer.ok || draft !== playing.draft) return;
  const levels = await answer.json();
  const pen = canvas(lane("sound"), 40);
  pen.fillStyle = "#0ea5e9";
  const step = (scale * rate()) / 50;
  levels.forEach((level, index) => pen.fillRect(index * step - opening() * scale, 20 - level / 5, Math.max(step, 0.5), level / 2.5 + 0.5));
}
function drawStills() {
  if (!playing.draft || JSON.stringify(playing.trailer) !== shown) return;
  for (const [index, button] of [...lane("events").children].entries()) {
    // A still's name tells what it shows: of a new draft only those are fetched that are new.
    if (playing.stills[index]) button.style.backgroundImage = `url("still/${playing.stills[index]}.jpg")`;
  }
}

// One event

let marked = null; // the event to which the mark on the film belongs
function select(index, again = false) { // again: what is being typed, and the mark on the film, stay
  const event = events()[index];
  if (!event) return;
  selected = index;
  for (const [number, button] of [...lane("events").children].entries()) {
    button.setAttribute("aria-selected", String(number === index));
  }
  $("event").hidden = false;
  $("event-name").textContent = `${event.name}: line ${event.line}, ${event.end - event.start} frames`;
  $("event-note").textContent = [event.why, event.scene, event.spoken].filter(Boolean).join(" · ");
  $("film").hidden = event.in === undefined;
  if (event.in !== undefined) {
    const around = Math.round(10 * filmRate(event.film));
    const slider = $("film-frame");
    slider.min = Math.max(0, event.in - around);
    slider.max = Math.min(state.trailer.films[event.film].frames - 1, event.out + around);
    if (!again || !sameShot(event, marked)) slider.value = event.in;
    marked = event;
    showFilm();
  }
  showLength(event);
  if (!again || !$("texts").contains(document.activeElement)) drawTexts(event);
  drawAlternatives(event);
}
function drawTexts(event) {
  const box = $("texts");
  box.replaceChildren();
  const texts = event.card === undefined ? event.titles : [event.card];
  texts.forEach((text, number) => {
    const label = document.createElement("label"), input = document.createElement("input"), set = document.createElement("button");
    input.type = "text";
    input.value = text;
    input.maxLength = 500;
    input.id = `text-${number}`;
    label.textContent = "text ";
    label.append(input);
    set.textContent = "set text";
    const send = () => {
      const words = input.value;
      edit((now) => ({ do: "retitle", entry: now.entry, title: number + 1, text: words }));
    };
    set.addEventListener("click", send);
    input.addEventListener("keydown", (key) => { if (key.key === "Enter") send(); });
    box.append(label, set);
  });
}
function drawAlternatives(event) {
  const others = $("alternatives");
  others.replaceChildren();
  (event.alternatives || []).forEach((other, number) => {
    const button = document.createElement("button"), picture = document.createElement("img"), label = document.createElement("span");
    picture.src = filmPicture(other.film, other.in);
    picture.alt = "";
    label.textContent = `take ${clock(other.in / filmRate(other.film))} instead${other.why ? `: ${other.why}` : ""}`;
    button.append(picture, label);
    button.addEventListener("click", () => edit((now) => ({ do: "swap", entry: now.entry, number: number + 1 })));
    others.append(button);
  });
}
// Whether an event is the shot that another was before an edit of its in or out point.
const sameShot = (now, before) => before !== null && now.film === before.film && (now.in === before.in || now.out === before.out);
function showLength(event) { // in beats where it begins and ends on one
  if ($("event").contains(document.activeElement) && document.activeElement === $("amount")) return;
  const at = (frame) => marks.beat().indexOf(frame);
  const counted = at(event.start) >= 0 && at(event.end) >= 0;
  $("amount").value = counted ? at(event.end) - at(event.start) : event.end - event.start;
  $("unit").value = counted ? "beats" : "frames";
}
function showFilm() {
  const at = Number($("film-frame").value), film = events()[selected].film;
  $("film-picture").src = filmPicture(film, at);
  const name = state.trailer.films.length > 1 ? state.trailer.films[film].name : "film";
  $("film-clock").textContent = `${clock(at / filmRate(film))}  ${name} frame ${at}`;
}

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
  say(refused || "edited");
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
  earlier: () => move(-1), later: () => move(1),
  duplicate: () => edit((event) => ({ do: "duplicate", entry: event.entry })),
  delete: () => edit((event) => ({ do: "remove", entry: event.entry })),
  undo: () => edit(() => ({ do: "undo" })), redo: () => edit(() => ({ do: "redo" })),
};
function step(by) {
  const index = Math.max(0, Math.min(events().length - 1, selected + by));
  select(index);
  seek(events()[index].start);
  lane("events").children[index].scrollIntoView({ block: "nearest", inline: "nearest" });
}
document.addEventListener("click", (click) => {
  const button = click.target.closest("[data-do]");
  if (button) actions[button.dataset.do]();
});
$("film-frame").addEventListener("input", showFilm);
$("timeline").addEventListener("click", (click) => {
  if (click.target.closest("button")) return;
  seek(Math.floor((click.clientX - $("lanes").getBoundingClientRect().left) / scale));
});
const KEYS = { " ": "play", k: "play", r: "loop", i: "mark-in", o: "mark-out", h: "hit", d: "duplicate", Delete: "delete",
  ",": "beat-back", ".": "beat-on", "<": "bar-back", ">": "bar-on", ArrowLeft: "frame-back", ArrowRight: "frame-on" };
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
    label.textContent = `${stem}, dB `;
    label.append(input);
    mute.textContent = level > -60 ? "mute" : "unmute";
    mute.setAttribute("aria-label", `${mute.textContent} ${stem}`);
    mute.id = `mute-${stem}`;
    mute.addEventListener("click", () => {
      const now = state.trailer.mix[stem];
      if (now > -60) muted[stem] = now;
      set(now > -60 ? -60 : muted[stem] ?? 0);
    });
    box.append(label, mute);
  }
  if (focused.startsWith("mute-")) $(focused).focus();
}

// The state

function say(text) { $("status").textContent = text; }
function sayState() {
  say(state.progress || refused || (state.broken ? "the last good draft plays" : state.draft ? "ready" : "starting"));
}
function take(next) { // an edit's answer may come later than the news of what it did
  if (next.number <= state.number) return;
  state = next;
  $("spec").textContent = state.spec;
  document.title = `${state.spec} - cinecut watch`;
  const box = $("mistakes");
  box.hidden = state.mistakes.length === 0;
  box.classList.toggle("warning", !state.broken);
  box.firstElementChild.textContent = state.mistakes.join("\n\n");
  document.body.dataset.revision = state.revision;
  document.body.dataset.drafted = state.drafted;
  sayState();
  drawTimeline();
  takeDraft();
  makeNext();
}
const changes = new EventSource("changes");
changes.onmessage = (message) => take(JSON.parse(message.data));
changes.onerror = () => say("cinecut watch does not answer: does it still run?");
requestAnimationFrame(tick);
