"use strict";
// The page of `cinecut watch`. The server sends its state whenever that changes; every edit is one request, which
// changes the spec's file. All texts are set as text, never as HTML.

const $ = (id) => document.getElementById(id);
const ZOOM = 4; // pixels a frame, at most; a long trailer fits fewer
let state = { revision: "", trailer: {}, mistakes: [], draft: "", progress: "" };
let shown = ""; // the trailer in the timeline, as JSON
let playing = { draft: "", trailer: {}, stills: [] }; // what the player has
let video = $("one");
let selected = 0; // index of an event
let looping = false;
let speed = 0; // of J and L
let scale = ZOOM;

const rate = () => (state.trailer.rate ? state.trailer.rate[0] / state.trailer.rate[1] : 25);
const filmRate = (film) => state.trailer.films[film].rate[0] / state.trailer.films[film].rate[1];
const filmPicture = (film, at) => `film/${film}/${at}.jpg`;
const events = () => state.trailer.events || [];
const opening = () => state.trailer.opening || 0;
const clock = (seconds) => {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - 60 * minutes).toFixed(3).padStart(6, "0")}`;
};

// Playing

const frame = () => Math.floor(video.currentTime * rate() + 0.01) - opening();
function seek(to) {
  const last = (state.trailer.frames || 1) - 1;
  const wanted = Math.max(0, Math.min(last, to)) + opening();
  video.currentTime = (wanted + 0.5) / rate(); // the middle of a frame shows that frame
  drawPlayhead();
}
function play(on) {
  speed = on ? 1 : 0;
  video.playbackRate = 1;
  if (on) video.play().catch(() => {}); else video.pause();
}
function shuttle(by) { // J and L: each press is faster; back in steps, since no browser plays backwards
  speed = Math.max(-8, Math.min(8, by > 0 ? (speed < 1 ? 1 : speed * 2) : (speed > -1 ? -1 : speed * 2)));
  if (speed > 0) { video.playbackRate = speed; video.play().catch(() => {}); } else video.pause();
}
function jump(marks, by) {
  const now = frame();
  const next = by > 0 ? marks.find((mark) => mark > now) : marks.filter((mark) => mark < now).pop();
  if (next !== undefined) seek(next);
}
const marks = {
  event: () => events().map((event) => event.start),
  act: () => (state.trailer.acts || []).map((act) => act.start),
  beat: () => (state.trailer.beats || []).map((beat) => beat.frame),
  bar: () => (state.trailer.beats || []).filter((beat) => beat.bar).map((beat) => beat.frame),
};

function firstChange(before, after) {
  const told = (event) => JSON.stringify([event.kind, event.in, event.out, event.end - event.start, event.titles, event.card]);
  const old = before.events || [], now = after.events || [];
  const index = now.findIndex((event, number) => !old[number] || told(old[number]) !== told(event));
  return index < 0 ? null : now[index].start;
}
function takeDraft() {
  if (!state.draft || state.draft === playing.draft) return;
  const other = video === $("one") ? $("two") : $("one");
  const trailer = state.trailer, name = state.draft, stills = state.stills, old = playing;
  const change = old.draft ? firstChange(old.trailer, trailer) : null;
  const at = change === null ? video.currentTime : (change + (trailer.opening || 0) + 0.5) * trailer.rate[1] / trailer.rate[0];
  const on = !video.paused && !video.ended;
  playing = { draft: name, trailer, stills };
  other.src = `draft/${name}`;
  other.onloadeddata = () => {
    other.onloadeddata = null;
    other.onseeked = () => {
      other.onseeked = null;
      video.pause();
      video.hidden = true;
      other.hidden = false;
      video = other;
      $("empty").hidden = true;
      if (on) play(true);
      document.body.dataset.plays = name;
      drawSound(name);
      drawStills();
    };
    other.currentTime = at || 0.5 / rate();
  };
  other.load();
}

function tick() {
  if (speed < 0) seek(frame() + speed);
  if (looping && events()[selected] && speed > 0) {
    const event = events()[selected];
    if (frame() >= event.end || frame() < event.start - 1) seek(event.start);
  }
  drawPlayhead();
  requestAnimationFrame(tick);
}
let drawn = ""; // of the playhead: while nothing moves, the browser has nothing to paint
function drawPlayhead() {
  const now = `${frame()} ${rate()} ${video.paused} ${scale}`;
  if (now === drawn) return;
  drawn = now;
  $("clock").textContent = `${clock(Math.max(0, frame()) / rate())}  frame ${Math.max(0, frame())}`;
  $("playhead").style.left = `${Math.max(0, frame()) * scale}px`;
  $("play").setAttribute("aria-pressed", String(!video.paused));
  $("play").textContent = video.paused ? "play" : "pause";
  const view = $("timeline");
  if (!video.paused) {
    const at = frame() * scale;
    if (at < view.scrollLeft || at > view.scrollLeft + view.clientWidth - 40) view.scrollLeft = at - 40;
  }
}

// The timeline

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
  for (const name of ["effects", "voices", "songs"]) {
    for (const sound of trailer[name]) block(lane(name), sound.start, sound.end, sound.name);
  }
  const beats = lane("beats"), pen = canvas(beats, 12);
  for (const beat of trailer.beats) {
    pen.fillStyle = beat.bar ? "#3b82f6" : "#8888";
    pen.fillRect(beat.frame * scale, beat.bar ? 0 : 5, 1, 12);
  }
  if (!$("mix").contains(document.activeElement)) drawMix();
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
    if (!again) slider.value = event.in;
    showFilm();
  }
  const box = $("texts");
  if (again && box.contains(document.activeElement)) return;
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
    const send = () => edit({ do: "retitle", entry: event.entry, title: number + 1, text: input.value });
    set.addEventListener("click", send);
    input.addEventListener("keydown", (key) => { if (key.key === "Enter") send(); });
    box.append(label, set);
  });
  const others = $("alternatives");
  others.replaceChildren();
  (event.alternatives || []).forEach((other, number) => {
    const button = document.createElement("button"), picture = document.createElement("img"), label = document.createElement("span");
    picture.src = filmPicture(other.film, other.in);
    picture.alt = "";
    label.textContent = `take ${clock(other.in / filmRate(other.film))} instead${other.why ? `: ${other.why}` : ""}`;
    button.append(picture, label);
    button.addEventListener("click", () => edit({ do: "swap", entry: event.entry, number: number + 1 }));
    others.append(button);
  });
}
function showFilm() {
  const at = Number($("film-frame").value), film = events()[selected].film;
  $("film-picture").src = filmPicture(film, at);
  const name = state.trailer.films.length > 1 ? state.trailer.films[film].name : "film";
  $("film-clock").textContent = `${clock(at / filmRate(film))}  ${name} frame ${at}`;
}

// Editing

async function edit(action) {
  const answer = await fetch("edit", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...action, revision: state.revision }),
  });
  const body = await answer.json();
  if (answer.ok) state = { ...state, revision: body.revision };
  say(answer.ok ? "edited" : body.error);
}
const entryOf = () => events()[selected].entry;
const filmFrame = () => Number($("film-frame").value);
function neighbour(by) { // the entry of the event that is so many places away
  const event = events()[selected + by];
  return event ? event.entry : null;
}
async function move(by) {
  const to = neighbour(by);
  if (to === null) return;
  const entry = entryOf();
  selected += by;
  await edit({ do: "move", entry, to });
}
const actions = {
  play: () => play(video.paused),
  loop: () => { looping = !looping; $("loop").setAttribute("aria-pressed", String(looping)); },
  "frame-back": () => { play(false); seek(frame() - 1); },
  "frame-on": () => { play(false); seek(frame() + 1); },
  "event-back": () => step(-1), "event-on": () => step(1),
  "act-back": () => jump(marks.act(), -1), "act-on": () => jump(marks.act(), 1),
  "beat-back": () => jump(marks.beat(), -1), "beat-on": () => jump(marks.beat(), 1),
  "bar-back": () => jump(marks.bar(), -1), "bar-on": () => jump(marks.bar(), 1),
  "mark-in": () => edit({ do: "trim", entry: entryOf(), in: filmFrame() }),
  "mark-out": () => edit({ do: "trim", entry: entryOf(), out: filmFrame() }),
  hit: () => edit({ do: "sync", entry: entryOf(), at: filmFrame() }),
  length: () => edit({ do: "trim", entry: entryOf(), for: `${Number($("amount").value)} ${$("unit").value}` }),
  earlier: () => move(-1), later: () => move(1),
  duplicate: () => edit({ do: "duplicate", entry: entryOf() }),
  delete: () => edit({ do: "remove", entry: entryOf() }),
  undo: () => edit({ do: "undo" }), redo: () => edit({ do: "redo" }),
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

function drawMix() {
  const box = $("mix");
  box.replaceChildren();
  for (const [stem, level] of Object.entries(state.trailer.mix)) {
    const label = document.createElement("label"), input = document.createElement("input"), mute = document.createElement("button");
    input.type = "number";
    input.min = -60;
    input.max = 20;
    input.value = level;
    input.id = `mix-${stem}`;
    input.addEventListener("change", () => edit({ do: "set", path: `mix.${stem}`, value: Math.round(Number(input.value)) }));
    label.textContent = `${stem}, dB `;
    label.append(input);
    mute.textContent = level > -60 ? "mute" : "unmute";
    mute.setAttribute("aria-label", `${mute.textContent} ${stem}`);
    mute.addEventListener("click", () => edit({ do: "set", path: `mix.${stem}`, value: level > -60 ? -60 : 0 }));
    label.append(mute);
    box.append(label);
  }
}

// The state

function say(text) { $("status").textContent = text; }
function take(next) {
  state = next;
  $("spec").textContent = state.spec;
  document.title = `${state.spec} - cinecut watch`;
  const box = $("mistakes");
  box.hidden = state.mistakes.length === 0;
  box.classList.toggle("warning", !state.broken);
  box.firstElementChild.textContent = state.mistakes.join("\n\n");
  document.body.dataset.revision = state.revision;
  document.body.dataset.drafted = state.drafted;
  say(state.progress || (state.broken ? "the last good draft plays" : state.draft ? "ready" : "starting"));
  drawTimeline();
  takeDraft();
}
new EventSource("changes").onmessage = (message) => take(JSON.parse(message.data));
requestAnimationFrame(tick);
