// What the session is, in words.

import { element } from "./dom.js";
import { device } from "./words.js";

export function showFacts(session) {
  element("subject").textContent = session.subject;
  const facts = [
    ["Name", session.subject],
    ["Device", device(session)],
    ["Proved by", session.amr.map((way) => WAYS[way] ?? way).join(", ")],
    ["Logged in", time(session.started_at)],
    ["Ends, if unused", time(Math.min(session.idle_expires_at, session.expires_at))],
    ["Ends for good", time(session.expires_at)],
  ];
  element("session-facts").replaceChildren(...facts.flatMap(([name, value]) => {
    const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
    dt.textContent = name;
    dd.append(value);
    return [dt, dd];
  }));
}

/** The words of RFC 8176 that this site uses. */
const WAYS = { pwd: "password", handoff: "another device" };

function time(seconds) {
  const time = document.createElement("time");
  const date = new Date(seconds * 1000);
  time.dateTime = date.toISOString();
  time.textContent = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return time;
}
