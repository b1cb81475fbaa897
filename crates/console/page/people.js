// A person: what is stored about them, as a file; and their erasure.

import { confirm } from "./confirm.js";
import { hits } from "./ends.js";
import { element, make, onClick, say } from "./dom.js";
import { act, keep } from "./server.js";
import { many, person, when } from "./words.js";

export function exportPerson({ subject, tenant }) {
  const whose = person({ subject, tenant });
  return confirm({
    title: `Export what is stored about ${whose}?`,
    submit: "Export",
    danger: false,
    effect: async () => "This saves a file with everything that the server keeps about them, and a record that you have seen it. Nobody is logged out.",
    act: async (why) => {
      const stored = await act("POST", "people/export", { subject, tenant, why });
      keep(JSON.stringify(stored, null, 2), "application/json", `export-${named(whose)}.json`);
      say(`What is stored about ${whose} is saved: ${many(stored.sessions.length, "session")}.`);
    },
  });
}

/** Asks, erases, and shows what remains; `done` is called after. */
export function erasePerson({ subject, tenant }, done) {
  const whose = person({ subject, tenant });
  return confirm({
    title: `Erase ${whose}?`,
    submit: "Erase",
    effect: async () => {
      const hit = await act("POST", "ends/preview", { target: { user: { subject, tenant } } });
      return `${hits(hit)} What is stored about them goes with it, for good. The audit keeps their name, with your reason.`;
    },
    act: async (why) => {
      const erasure = await act("POST", "people/erase", { subject, tenant, why });
      say(`${whose} is erased: ${many(erasure.sessions, "session has", "sessions have")} ended.`);
      await done();
      return () => showRemains(whose, erasure.remains);
    },
  });
}

function showRemains(whose, remains) {
  element("left-title").textContent = `What remains of ${whose}`;
  element("left-list").replaceChildren(...remains.map(({ what, until, why }) => make("li", { testid: "left-one" },
    make("p", {}, make("strong", { textContent: until === null ? "No date is known." : `Until ${when(until)}.` }), ` ${sentence(what)}`),
    make("p", { className: "hint", textContent: sentence(why) }))));
  element("left").showModal();
}

export function showPeople() {
  onClick(element("left-close"), () => element("left").close());
}

function sentence(words) {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}.`;
}

/** What may be part of a file's name. */
function named(text) {
  return text.replaceAll(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 60);
}
