// Points of a drawing that are moved by hand, and buttons that act on all of them.

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
// A hand is never quite still: below so many pixels it was a click.
const STILL = 4;

/** A number, at most so far from 0. */
export const within = (value, most) => Math.max(-most, Math.min(most, value));

/** A row of buttons with a name: `[text, act]` each. */
export function commands(parent, signal, name, listed) {
  const group = html("div", { class: "kd-strip kd-commands", role: "group", "aria-label": name }, parent);
  for (const [text, act] of listed) {
    const button = html("button", { type: "button", "aria-label": text, ...OWN_KEYS }, group, text);
    button.addEventListener("click", act, { signal });
  }
}

/** Where the mouse or a finger is, in the drawing's units. */
function placeOf(event, chart) {
  const box = chart.getBoundingClientRect();
  const scale = chart.viewBox.baseVal.width / box.width;
  return [scale * (event.clientX - box.left), scale * (event.clientY - box.top)];
}

/**
 * Groups of a drawing that are dragged with the mouse or a finger, and moved with the keys.
 *
 * `name(i)` is read aloud; `step(i, [x, y])` gets how many steps a key goes, y upwards, ten at
 * a time with Shift; `place(i, [x, y])` gets the drawing's units, y downwards. `tap(i)`, if
 * there is one, is for a click, Enter and the space bar.
 */
export function movable(chart, groups, signal, { name, step, place, tap }) {
  groups.forEach((group, i) => {
    let from = null;
    const attributes = { tabindex: 0, role: "slider", ...OWN_KEYS, "aria-label": name(i) };
    for (const [key, value] of Object.entries(attributes)) group.setAttribute(key, value);
    group.addEventListener("keydown", (event) => {
      const way = WAYS[event.key];
      const taps = tap && (event.key === "Enter" || event.key === " ");
      if (!(way || taps) || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (way) step(i, way.map((part) => part * (event.shiftKey ? 10 : 1)));
      else if (!event.repeat) tap(i);
    }, { signal });
    group.addEventListener("pointerdown", (event) => {
      group.setPointerCapture(event.pointerId);
      group.focus();
      from = [event.clientX, event.clientY];
      event.preventDefault();
    }, { signal });
    group.addEventListener("pointermove", (event) => {
      if (!group.hasPointerCapture(event.pointerId)) return;
      const far = !from || Math.hypot(event.clientX - from[0], event.clientY - from[1]) >= STILL;
      if (tap && !far) return;
      from = null;
      place(i, placeOf(event, chart));
    }, { signal });
    group.addEventListener("pointerup", () => {
      if (tap && from) tap(i);
      from = null;
    }, { signal });
  });
}

/**
 * Whether one of the groups is held by the mouse or a finger; `onRelease` is called afterwards.
 *
 * While it is, axes must stay: one that gives way moves the group on under a hand at rest.
 */
export function holding(groups, signal, onRelease) {
  let held = false;
  const release = () => {
    if (held) onRelease((held = false));
  };
  for (const group of groups) {
    group.addEventListener("pointerdown", () => { held = true; }, { signal });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      group.addEventListener(name, release, { signal });
    }
  }
  return () => held;
}
