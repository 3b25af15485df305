"use strict";
// What the page of `cinecut watch` knows, and its player: two videos, so that a new draft takes over in place.

const $ = (id) => document.getElementById(id);
let zoom = 2; // pixels a frame, at most; a long trailer fits fewer
let state = { number: -1, revision: "", trailer: {}, mistakes: [], draft: "", progress: "", percent: 0 };
let shown = ""; // the trailer in the timeline, as JSON
let playing = { draft: "", trailer: {}, stills: [] }; // what the player has
let video = $("one");
let selected = 0; // index of an event
let looping = false;
let speed = 0; // of J and L
let scale = zoom;

const rate = () => (state.trailer.rate ? state.trailer.rate[0] / state.trailer.rate[1] : 25);
const filmRate = (film) => state.trailer.films[film].rate[0] / state.trailer.films[film].rate[1];
const filmPicture = (film, at) => `film/${film}/${at}.jpg?${state.trailer.films[film].fingerprint}`; // another film, another picture
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
const moving = () => !video.paused || speed < 0;
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

let ticked = 0, back = 0; // when it was last, and the part of a frame that J has gone back since
function tick(now) {
  if (speed < 0) {
    back -= (speed * rate() * (now - ticked)) / 1000;
    if (back >= 1) seek(frame() - Math.floor(back));
    back %= 1;
    if (frame() <= 0) play(false);
  }
  ticked = now;
  if (looping && events()[selected] && speed > 0) {
    const event = events()[selected];
    if (video.ended || frame() >= event.end || frame() < event.start - 1) seek(event.start);
    if (video.paused && !video.seeking) video.play().catch(() => {}); // the last event ends where the draft does
  }
  drawPlayhead();
  requestAnimationFrame(tick);
}
let drawn = ""; // of the playhead: while nothing moves, the browser has nothing to paint
function drawPlayhead() {
  const now = `${frame()} ${rate()} ${moving()} ${scale}`;
  if (now === drawn) return;
  drawn = now;
  $("clock").textContent = `${clock(Math.max(0, frame()) / rate())}  frame ${Math.max(0, frame())}`;
  const at = Math.max(0, frame()) * scale, view = $("timeline"), names = lane("events").offsetLeft;
  $("playhead").style.transform = `translateX(${at}px)`;
  $("play").setAttribute("aria-pressed", String(moving()));
  if (at < view.scrollLeft || at > view.scrollLeft + view.clientWidth - names - 40) view.scrollLeft = at - 40;
}
