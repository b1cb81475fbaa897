// What happens, as it happens: a stream that is opened again when it breaks off, and a short log of it.

import { element, make, onClick, text } from "./dom.js";
import { isPaused, listen } from "./server.js";
import { KIND, many, particulars, person, time } from "./words.js";

const SHOWN = 200;
const AGAIN_MS = 2000;
/** Not shown until asked for: there are too many of them. */
const QUIET = ["refresh", "refusal"];

/** `heard` is called with each event, whatever is shown. */
export function showLive(heard) {
  const log = element("live-log");
  const wanted = new Set(Object.keys(KIND).filter((kind) => !QUIET.includes(kind)));
  let held = false;
  let missed = 0;
  let open = null;

  element("live-kinds").append(...Object.entries(KIND).map(([kind, words]) => {
    const box = make("input", { type: "checkbox", checked: wanted.has(kind) });
    box.addEventListener("change", () => {
      wanted[box.checked ? "add" : "delete"](kind);
      sift();
    });
    return make("label", { className: "check" }, box, words);
  }));
  element("live-filter").addEventListener("submit", (event) => event.preventDefault());
  element("live-subject").addEventListener("input", () => sift());
  onClick(element("live-pause"), () => {
    held = !held;
    element("live-pause").ariaPressed = held;
    element("live-pause").textContent = held ? "Go on" : "Hold";
  });

  function passes({ kind, subject = "" }) {
    const name = element("live-subject").value.trim();
    return wanted.has(kind) && (!name || subject === name);
  }

  function sift() {
    for (const entry of log.children) entry.hidden = !passes(entry.dataset);
    element("live-empty").hidden = [...log.children].some((entry) => !entry.hidden);
  }

  function take(event) {
    if (event.events) return text("live-dropped", `${many(missed += event.events, "event was", "events were")} not shown: they came faster than this page could take them.`);
    heard(event);
    if (held) return;
    log.prepend(entry(event));
    while (log.children.length > SHOWN) log.lastElementChild.remove();
    sift();
  }

  function entry(event) {
    const made = make("li", { testid: "live-event" },
      make("time", { className: "hint", dateTime: new Date(event.at * 1000).toISOString(), textContent: time(event.at) }),
      make("span", { className: `tag ${event.kind}`, textContent: KIND[event.kind] ?? event.kind }),
      make("strong", { textContent: event.subject ? person(event) : event.tenant ?? "" }),
      make("span", { className: "hint", textContent: particulars(event) || (event.session ?? "").slice(0, 8) }));
    Object.assign(made.dataset, { kind: event.kind, subject: event.subject ?? "" });
    return made;
  }

  async function follow(signal) {
    while (!signal.aborted) {
      if (!isPaused()) await once(signal).catch(() => {});
      say("");
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  async function once(signal) {
    const answer = await listen("", signal);
    if (!answer.ok) return;
    say("listening");
    for await (const event of events(answer.body)) take(event);
  }

  function say(words) {
    element("live-state").textContent = words;
  }

  return {
    start() {
      if (open) return;
      open = new AbortController();
      follow(open.signal);
    },
    stop() {
      open?.abort();
      open = null;
    },
  };
}

/** The data of server-sent events. */
async function* events(body) {
  let rest = "";
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.split("\n").find((line) => line.startsWith("data: "));
      if (data) yield JSON.parse(data.slice("data: ".length));
    }
  }
}
