"use strict";
// The timeline of `cinecut watch`: acts, stills, texts, beats and sounds over one scale. All texts are set as text.

const ROW = 1.35; // rem, the height of a row of blocks
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
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
function stack(lane, blocks) { // those that overlap lie one below the other
  const ends = []; // where each row is free again
  for (const each of blocks) {
    let row = ends.findIndex((end) => end <= each.start);
    if (row < 0) row = ends.length;
    ends[row] = each.end;
    block(lane, each.start, each.end, each.name).style.top = `${row * ROW + 0.06}rem`;
  }
  lane.style.height = `${Math.max(1, ends.length) * ROW}rem`;
}
const lane = (name) => document.querySelector(`.lane.${name}`);
function drawTimeline() {
  const trailer = state.trailer;
  const text = JSON.stringify(trailer);
  if (text === shown || !trailer.events) return;
  shown = text;
  const held = lane("events").contains(document.activeElement);
  const pending = sending || waiting.length > 0; // then the selection is ahead of this state, and stands on another event of it
  const again = pending ? -1 : trailer.events.findIndex((event) => event.id === chosen), meant = chosen;
  selected = again >= 0 ? again : Math.max(0, Math.min(selected, trailer.events.length - 1));
  scale = Math.max(0.25, Math.min(zoom, 60000 / Math.max(1, trailer.frames)));
  for (const name of ["ruler", "acts", "events", "titles", "effects", "voices", "songs"]) {
    lane(name).replaceChildren();
    lane(name).style.width = `${trailer.frames * scale}px`;
  }
  for (const act of trailer.acts) block(lane("acts"), act.start, act.end, act.name);
  for (const [index, event] of trailer.events.entries()) {
    const button = block(lane("events"), event.start, event.end, event.name, "button");
    button.setAttribute("aria-label", `${event.name}, ${clock(event.start / rate())} to ${clock(event.end / rate())}`);
    button.addEventListener("click", () => { select(index); seek(event.start); });
  }
  for (const name of ["titles", "effects", "voices", "songs"]) stack(lane(name), trailer[name]);
  for (const name of ["acts", "titles", "beats", "effects", "voices", "songs"]) {
    lane(name).parentElement.hidden = trailer[name].length === 0;
  }
  drawSeconds();
  paintBeats();
  if (!document.activeElement.matches("#mix input")) drawMix(); // a level that is being typed stays
  select(selected, true);
  if (pending) chosen = meant;
  if (held) lane("events").children[selected].focus({ preventScroll: true });
  drawStills();
}
function drawSeconds() {
  const every = [1, 2, 5, 10, 30, 60, 300].find((seconds) => seconds * rate() * scale >= 70) || 600;
  for (let second = 0; second * rate() < state.trailer.frames; second += every) {
    block(lane("ruler"), second * rate(), (second + every) * rate(), clock(second).replace(/\.000$/, ""));
  }
}
function paintBeats() {
  if (!state.trailer.events) return;
  const pen = canvas(lane("beats"), 12), inks = { bar: colour("bar"), beat: colour("beat") };
  for (const beat of state.trailer.beats) {
    pen.fillStyle = beat.bar ? inks.bar : inks.beat;
    pen.fillRect(beat.frame * scale, beat.bar ? 0 : 5, 1, 12);
  }
}
function canvas(element, height) {
  const width = state.trailer.frames * scale, fine = Math.min(devicePixelRatio || 1, 32000 / width);
  element.width = Math.ceil(width * fine);
  element.height = height * fine;
  element.style.width = `${width}px`;
  const pen = element.getContext("2d");
  pen.setTransform(fine, 0, 0, fine, 0, 0);
  return pen;
}
let levels = []; // of the draft's sound
async function drawSound(draft) {
  const answer = await fetch(`draft/${draft}/outline`);
  if (!answer.ok || draft !== playing.draft) return;
  levels = await answer.json();
  paintSound();
}
function paintSound() {
  const pen = canvas(lane("sound"), 40), step = (scale * rate()) / 50;
  pen.fillStyle = colour("wave");
  levels.forEach((level, index) => {
    const high = 2 * Math.sqrt(level); // of 20 pixels: what is soft is seen, too
    pen.fillRect(index * step - opening() * scale, 20 - high, Math.max(step, 0.5), 2 * high + 0.5);
  });
}
function drawStills() {
  if (!playing.draft || JSON.stringify(playing.trailer) !== shown) return;
  for (const [index, button] of [...lane("events").children].entries()) {
    // A still's name tells what it shows: of a new draft only those are fetched that are new.
    if (playing.stills[index]) button.style.backgroundImage = `url("still/${playing.stills[index]}.jpg")`;
  }
}
function rescale(by) { // what is under the playhead stays in sight
  zoom = Math.max(0.25, Math.min(16, scale * by));
  shown = drawn = "";
  drawTimeline();
  paintSound();
  $("timeline").scrollLeft = frame() * scale - $("timeline").clientWidth / 2;
  drawPlayhead();
}
$("timeline").addEventListener("click", (click) => {
  if (click.target.closest("button, .row-of > span")) return;
  seek(Math.floor((click.clientX - lane("events").getBoundingClientRect().left) / scale));
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { paintBeats(); paintSound(); });
