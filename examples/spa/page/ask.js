// Where no seat is left: choosing which of one's own sessions ends.

import { button, element, fail, onClick, row } from "./dom.js";
import { ago, complaint, device } from "./words.js";

export function showAsk(session) {
  let back = () => {};

  onClick(element("ask-cancel"), () => leave());

  /** Asks, after a refusal with a choice. `onLeave` is told what to say where it comes to nothing. */
  function open(problem, onLeave) {
    back = onLeave;
    show(problem);
    element("ask").hidden = false;
    element("ask-title").focus();
  }

  function show(problem) {
    element("ask-detail").textContent = problem.detail ?? "";
    fail("ask-error", "");
    element("ask-list").replaceChildren(...problem.sessions.map((own) => {
      const end = button("ask-end", "End", `End ${device(own)} and log in`, () => admit(problem, own));
      return row("ask-session", device(own), `active ${ago(session.now() - own.last_activity)}`, end);
    }));
  }

  async function admit(problem, own) {
    try {
      await session.admit(problem.choice, own.id);
      element("ask").hidden = true;
    } catch (error) {
      if (error.status === 404) {
        // It is gone already, which leaves the code usable: there may be a seat now.
        const others = problem.sessions.filter((other) => other !== own);
        if (others.length === 0) return leave("Your other sessions have ended meanwhile. Please log in again.");
        show({ ...problem, choice: problem.choice, detail: problem.detail, sessions: others });
        element("ask-title").focus();
      } else if (error.choice) show(error);
      else if (error.code === "token-invalid") leave("That took too long. Please log in again.");
      else fail("ask-error", complaint(error));
    }
  }

  function leave(words = "") {
    element("ask").hidden = true;
    back(words);
  }

  return { open, close: () => { element("ask").hidden = true; } };
}
