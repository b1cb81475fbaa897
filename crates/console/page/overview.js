// The figures at the top.

import { element, text } from "./dom.js";
import { draw, fill } from "./seats.js";
import { look } from "./server.js";
import { lasting, many, number } from "./words.js";

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
  draw({ counts, limits });
  element("seats-hint").textContent = `${many(dangling, "dangling session")} beside them: not used for `
    + `${lasting(policy.dangling_after)}, so they hold no seat, and take one again as they come back. `
    + `${many(refusals.limit, "login was", "logins were")} turned away on this node in the last 24 hours.`;
}
