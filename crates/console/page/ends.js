// Ending sessions: each act says beforehand how many it hits, asked from the server.

import { confirm } from "./confirm.js";
import { say } from "./dom.js";
import { act, session } from "./server.js";
import { device, many, person } from "./words.js";

/** Asks, ends, and says what came of it; `done` is called after. */
function end(title, target, done, more = {}) {
  return confirm({
    title,
    submit: "End them",
    effect: async (choice) => hits(await act("POST", "ends/preview", { target: target(choice) })),
    act: async (why, choice) => {
      const { ended } = await act("POST", "ends", { target: target(choice), why });
      // Whoever ended their own is told that.
      if (session.current.get().session) say(`${many(ended, "session has", "sessions have")} ended.`);
      await done();
    },
    ...more,
  });
}

export function endOne(one, done) {
  return end(`End the session of ${person(one)}?`, () => ({ sessions: [one.id] }), done, {
    submit: "End it",
    effect: async () => {
      const hit = await act("POST", "ends/preview", { target: { sessions: [one.id] } });
      if (hit.sessions === 0) return "It has ended already.";
      return `On ${device(one)}. ${hit.includes_you ? "It is your own: you will be logged out." : "They will be logged out there."}`;
    },
  });
}

export function endSelected(ids, done) {
  return end(`End ${many(ids.length, "selected session")}?`, () => ({ sessions: ids }), done);
}

export function endUser({ subject, tenant }, done) {
  return end(`End all sessions of ${person({ subject, tenant })}?`, () => ({ user: { subject, tenant } }), done);
}

export function endDangling(done) {
  return end("End dangling sessions", (choice) => ({ dangling: { inactive_for: Number(choice) } }), done, {
    ask: {
      label: "Not active for",
      options: [["0", "any time"], ["3600", "an hour"], ["28800", "8 hours"], ["86400", "a day"], ["604800", "a week"]],
    },
  });
}

export function endEveryone(done) {
  return end("End all sessions of the site?", () => "everyone", done, { submit: "End everyone" });
}

/** What an end would do, in a sentence. */
export function hits({ sessions, people, seats, includes_you: includesYou }) {
  if (sessions === 0) return "This hits nobody now.";
  const free = seats > 0 ? ` ${many(seats, "seat falls", "seats fall")} free.` : "";
  const you = includesYou ? ` ${people === 1 ? "It is you" : "You are one of them"}: you will be logged out.` : "";
  return `This ends ${many(sessions, "session")} of ${many(people, "person", "people")}.${free}${you}`;
}
