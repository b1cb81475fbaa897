// What the page says in words: states, refusals, ends and times.

import { Problem } from "/session/client.js";

/** Where the session stands, in two or three words. */
export function standing(state) {
  switch (state.status) {
    case "signed-out": return "Not logged in";
    case "active": return "Active";
    case "refreshing": return "Renewing …";
    case "offline": return "Offline";
    case "limit-reached": return "No free seat";
    case "ended": return `Ended: ${END[state.reason]?.[0] ?? "no longer valid"}`;
    default: return "One moment …";
  }
}

/** Why a session ended, for people. */
export function farewell(reason) {
  return END[reason]?.[1] ?? "You are no longer logged in.";
}

const END = {
  "logout": ["logged out", "You are logged out."],
  "ended-by-user": ["ended from another device", "You ended this session from another device."],
  "ended-by-admin": ["by an administrator", "An administrator ended this session."],
  "limit": ["made room", "This session made room for a newer login."],
  "replaced": ["replaced", "A newer login has taken the place of this session."],
  "refresh-reused": ["used from two places", "This session was used from two places, so it was ended to protect you."],
  "idle": ["not used", "You were logged out because nobody used this session for a while."],
  "expired": ["time is up", "Your session has reached its end."],
  "key-removed": ["withdrawn", "The site has withdrawn this session. Please log in again."],
};

/** Why something did not work, for people. */
export function complaint(error) {
  if (error.name === "AbortError") return "Somebody else has logged in here meanwhile. Please look before you try again.";
  if (!(error instanceof Problem)) return "The server cannot be reached. Nothing is lost: please try again.";
  switch (error.code) {
    case "login-failed": return "This name and password do not belong together.";
    case "step-up-required": return "Nothing was changed.";
    case "session-ended": return farewell(error.reason);
    case "state-too-large": return "Your cart is full: this does not fit any more.";
    case "state-superseded": return "Your cart is being changed elsewhere. Please try again in a minute.";
    case "state-lost": return "This browser has lost your cart. Empty it to begin anew.";
    case "state-conflict": return "Your cart was changed elsewhere at the same moment. Please try again.";
    default: return error.message;
  }
}

/** The same, where somebody who is logged in has given their password again. */
export function passwordComplaint(error) {
  return error.code === "login-failed" ? "This is not your password." : complaint(error);
}

/** What a session's device is called. */
export function device({ device }) {
  return device ?? "Unknown device";
}

/** When something last happened, roughly. */
export function ago(seconds) {
  if (seconds < 60) return "just now";
  const [value, unit] = seconds < 3600 ? [60, "minute"] : seconds < 86400 ? [3600, "hour"] : [86400, "day"];
  return new Intl.RelativeTimeFormat("en").format(-Math.floor(seconds / value), unit);
}

/** How long something still lasts. */
export function left(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return whole === 1 ? "1 second left." : `${whole} seconds left.`;
}
