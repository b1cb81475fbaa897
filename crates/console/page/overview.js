// The figures at the top, and the gauges of the limits.

import { element, make, text } from "./dom.js";
import { look } from "./server.js";
import { many, number, RULE, SCOPE } from "./words.js";

let known = null;

/** What was last seen of the site. */
export function overview() {
  return known;
}

export async function loadOverview(passive = true) {
  known = await look("overview", { passive });
  show(known);
  return known;
}

function show({ site, you, counts, limits, refusals, policy, node }) {
  const dangling = counts.sessions - counts.seats;
  element("site").textContent = new URL(site).host;
  element("you").textContent = you.subject;
  const figures = {
    "seats": counts.seats, "sessions-count": counts.sessions, "dangling": dangling,
    "refused": refusals.limit, "forged": refusals.forged,
  };
  for (const [id, value] of Object.entries(figures)) element(id).textContent = number(value);
  text("seats-of", limits.site ? `of ${number(limits.site.seats)}` : "no limit");
  element("seats-gauge").hidden = !limits.site;
  if (limits.site) fill(element("seats-gauge"), counts.seats, limits.site.seats);
  element("status").textContent = { ready: "Live", starting: "Starting …", stale: "Behind the registry" }[node.readiness];
  element("status").dataset.status = node.readiness;
  element("gauges").replaceChildren(...gauges(counts, limits));
  element("seats-hint").textContent = `${many(dangling, "dangling session")} beside them: not used for `
    + `${Math.round(policy.dangling_after / 60) || "less than 1"} minutes, so they hold no seat, and take one again as they come back. `
    + `${many(refusals.limit, "login was", "logins were")} turned away on this node in the last 24 hours.`;
}

function gauges(counts, limits) {
  return Object.entries(limits).map(([scope, limit]) => {
    const words = make("p", {}, make("strong", { textContent: `${SCOPE[scope][0].toUpperCase()}${SCOPE[scope].slice(1)}` }));
    if (!limit) {
      words.append(make("span", { className: "hint", textContent: "no limit" }));
      return make("li", {}, words);
    }
    const used = scope === "site" ? `${number(counts.seats)} of ${many(limit.seats, "seat")}` : many(limit.seats, "seat");
    words.append(make("span", { className: "hint", textContent: `${used}; full: ${RULE[limit.on_full]}` }));
    const entry = make("li", {}, words);
    if (scope === "site") {
      const gauge = make("span", { className: "gauge large" }, make("span"));
      fill(gauge, counts.seats, limit.seats);
      entry.append(gauge);
    }
    return entry;
  });
}

/** The bar is a picture of figures that stand beside it as text. */
function fill(gauge, value, of) {
  const share = of === 0 ? 100 : Math.min(100, Math.round(value / of * 100));
  gauge.dataset.level = share >= 100 ? "full" : share >= 85 ? "high" : "fine";
  gauge.firstElementChild.style.setProperty("--share", `${share}%`);
}
