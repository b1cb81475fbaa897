// Warns before the session ends, and offers to stay where that can be had.

import { busy, element, say } from "./dom.js";

const WARN_SECONDS = 60;

export function watchExpiry(session) {
  element("stay").addEventListener("click", ({ target }) => busy(target, async () => {
    try {
      await session.renew();
    } catch (problem) {
      say(problem.message);
    }
  }));
  setInterval(() => show(session), 1000);
  session.addEventListener("change", () => show(session));
}

function show(session) {
  const { current } = session;
  const end = current ? Math.min(current.idle_expires_at, current.expires_at) : Infinity;
  const left = Math.max(0, Math.ceil(end - session.now()));
  const near = left <= WARN_SECONDS;
  element("expiry").hidden = !near;
  if (!near) return;
  const unused = current.idle_expires_at < current.expires_at;
  const sentence = unused ? "Nobody is using this session, so it ends soon." : "Your session ends soon. Please log in again then.";
  // The sentence is an alert and is read out once; the seconds are for the eye.
  if (element("expiry-sentence").textContent !== sentence) element("expiry-sentence").textContent = sentence;
  element("expiry-countdown").textContent = left === 1 ? "1 second left." : `${left} seconds left.`;
  element("stay").hidden = !unused;
}
