"use strict";
// One event on the page of `cinecut watch`: its film, its length, its texts, and what could stand in its place.

let chosen = ""; // the id of the event that is selected: it stays so where others come and go
let marked = null; // the event to which the mark on the film belongs
function select(index, again = false) { // again: what is being typed, and the mark on the film, stay
  const event = events()[index];
  if (!event) return;
  selected = index;
  chosen = event.id;
  for (const [number, button] of [...lane("events").children].entries()) {
    button.setAttribute("aria-current", String(number === index));
    button.tabIndex = number === index ? 0 : -1; // one stop of the tabulator for all; Shift+arrows go on from there
  }
  $("event").hidden = false;
  $("event-name").textContent = event.name;
  const frames = event.end - event.start;
  $("event-place").textContent = `line ${event.line} · ${(frames / rate()).toFixed(3)} s · ${frames} frames`;
  $("event-note").textContent = [event.why, event.scene, event.spoken].filter(Boolean).join(" · ");
  $("film").hidden = event.in === undefined;
  if (event.in !== undefined) {
    const around = Math.round(10 * filmRate(event.film));
    const slider = $("film-frame");
    slider.min = Math.max(0, event.in - around);
    slider.max = Math.min(state.trailer.films[event.film].frames - 1, event.out + around);
    if (!again || !sameShot(event, marked)) slider.value = event.in;
    marked = event;
    const whole = Math.max(1, slider.max - slider.min), span = $("film-span").firstElementChild;
    span.style.left = `${(100 * (event.in - slider.min)) / whole}%`;
    span.style.width = `${(100 * (event.out - event.in)) / whole}%`;
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
    label.className = "wide";
    label.textContent = event.card === undefined ? "title " : "card ";
    label.append(input);
    set.textContent = "set text";
    const send = () => {
      const words = input.value;
      edit((now) => ({ do: "retitle", entry: now.entry, title: number + 1, text: words }));
    };
    set.addEventListener("click", send);
    input.addEventListener("keydown", (key) => { if (key.key === "Enter") send(); });
    const row = document.createElement("div");
    row.className = "row";
    row.append(label, set);
    box.append(row);
  });
}
let alternatives = ""; // those that are shown: what is looked at, or has the focus, is not drawn anew
function drawAlternatives(event) {
  const others = $("alternatives"), now = JSON.stringify([event.alternatives, state.trailer.films]);
  $("others").hidden = !(event.alternatives || []).length;
  if (now === alternatives) return;
  alternatives = now;
  others.replaceChildren();
  (event.alternatives || []).forEach((other, number) => {
    const button = document.createElement("button"), picture = document.createElement("img"), label = document.createElement("span");
    picture.src = filmPicture(other.film, other.in);
    picture.alt = "";
    const film = other.film === event.film ? "" : `${state.trailer.films[other.film].name} `;
    label.textContent = `${film}${clock(other.in / filmRate(other.film))}${other.why ? `: ${other.why}` : ""}`;
    button.setAttribute("aria-label", `take ${label.textContent} instead`);
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
  const name = state.trailer.films.length > 1 ? state.trailer.films[film].name : "film";
  $("film-clock").textContent = `${clock(at / filmRate(film))}  ${name} frame ${at}`;
  $("film-frame").setAttribute("aria-valuetext", $("film-clock").textContent);
  showPicture(filmPicture(film, at));
}
let asked = ""; // the picture of the film that is on its way
let wanted = ""; // the one that shall be seen: those that were slid over meanwhile are left out
function showPicture(url) {
  wanted = url;
  if (asked || $("film-picture").getAttribute("src") === url) return;
  asked = url;
  $("film-picture").src = url;
}
function pictureCame() {
  const more = wanted !== asked;
  asked = "";
  if (more) showPicture(wanted);
}
$("film-picture").addEventListener("load", pictureCame);
$("film-picture").addEventListener("error", pictureCame);

