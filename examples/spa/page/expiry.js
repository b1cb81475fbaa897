// Warns before the session ends, and offers to stay: by a click where it only is unused, by a login at its very end.

import { element, onClick, say, text } from "./dom.js";
import { complaint, left } from "./words.js";

export function watchExpiry(session, prove) {
  let warning = null;
  let timer;

  session.on("expiring", (event) => {
    warning = event;
    clearInterval(timer);
    timer = setInterval(show, 1000);
    show();
  });
  session.current.subscribe(show);
  onClick(element("stay"), () => attempt(() => session.extend()));
  onClick(element("relogin"), () => attempt(prove));

  async function attempt(act) {
    try {
      await act();
    } catch (error) {
      say(complaint(error));
    }
  }

  function show() {
    const { session: current } = session.current.get();
    const isOver = !warning || !current || end(current, warning.kind) > warning.at + 1;
    element("expiry").hidden = isOver;
    if (isOver) {
      warning = null;
      return clearInterval(timer);
    }
    const unused = warning.kind === "idle";
    // The sentence is read out once; the seconds are for the eye.
    text("expiry-sentence", unused ? "Nobody is using this session, so it ends soon." : "Your session ends soon.");
    text("expiry-countdown", left(warning.at - session.now()));
    element("stay").hidden = !unused;
    element("relogin").hidden = unused;
  }
}

function end(session, kind) {
  return kind === "idle" ? session.idle_expires_at : session.expires_at;
}
