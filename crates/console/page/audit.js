// What administrators did.

import { element, make, onClick } from "./dom.js";
import { look, save } from "./server.js";
import { lasting, many, person, when } from "./words.js";

const STAGE = { begins: "begins", done: "done", failed: "failed" };

export function showAudit() {
  let next = null;

  onClick(element("audit-more"), () => load({ before: next }));
  onClick(element("audit-export"), () => save("audit/export", "audit.jsonl"));

  async function load({ before, passive = false } = {}) {
    const page = await look(`audit${before ? `?before=${before}` : ""}`, { passive });
    const entries = page.records.map(entry);
    if (before) element("audit-list").append(...entries);
    else element("audit-list").replaceChildren(...entries);
    next = page.next;
    element("audit-more").hidden = next === null;
    element("audit-list").hidden = element("audit-list").children.length === 0;
    element("audit-empty").hidden = !element("audit-list").hidden;
  }

  return { load };
}

function entry({ seq, at, who, what, stage, whom, why, effect }) {
  return make("li", { testid: "audit-record" },
    make("p", {}, make("span", { className: "hint", textContent: `#${seq} ` }), make("strong", { textContent: person(who) }), ` ${deed(what, whom)} `,
      make("span", { className: `tag ${stage}`, textContent: `${STAGE[stage]}${outcome(effect)}` })),
    make("p", { className: "hint", textContent: `${when(at)} · ${why}` }));
}

function deed(what, whom) {
  switch (what) {
    case "end": return `ends ${target(whom)}`;
    case "set-limits": return `sets the limits to ${limits(whom.limits)} (before: ${limits(whom.before)})`;
    case "rotate-key": return "lets another key sign";
    case "remove-key": return `removes the key ${whom.kid}`;
    case "export-subject": return `exports what is stored about ${person(whom.user)}`;
    case "erase-subject": return `erases ${person(whom.user)}`;
    default: return what;
  }
}

function target(whom) {
  if (whom === "everyone") return "everyone";
  if (whom.sessions) return many(whom.sessions.length, "session");
  if (whom.user) return `all sessions of ${person(whom.user)}`;
  if (whom.tenant) return `the tenant ${whom.tenant}`;
  const inactiveFor = whom.dangling?.inactive_for;
  return inactiveFor ? `sessions that dangle for ${lasting(inactiveFor)} or longer` : "sessions that dangle";
}

function limits(all) {
  const set = Object.entries(all).filter(([, limit]) => limit).map(([scope, { seats }]) => `${scope} ${seats}`);
  return set.join(", ") || "none";
}

function outcome(effect) {
  if (typeof effect === "string") return `: ${effect}`;
  return effect?.sessions === undefined ? "" : `: ${many(effect.sessions, "session")}`;
}
