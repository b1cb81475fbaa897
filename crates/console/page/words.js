// What the page says in words: counts, times, kinds and reasons.

const count = new Intl.NumberFormat("en");
const instant = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export function number(value) {
  return count.format(value);
}

/** "1 session", "3 sessions". */
export function many(value, one, several = `${one}s`) {
  return `${number(value)} ${value === 1 ? one : several}`;
}

export function when(seconds) {
  return instant.format(seconds * 1000);
}

export function time(seconds) {
  return clock.format(seconds * 1000);
}

/** How long something took or takes, roughly. */
export function lasting(seconds) {
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (seconds >= size) return many(Math.floor(seconds / size), unit);
  }
  return many(Math.max(0, Math.floor(seconds)), "second");
}

export function ago(seconds) {
  return seconds < 60 ? "just now" : `${lasting(seconds)} ago`;
}

/** Whose a session is. */
export function person({ subject, tenant }) {
  return tenant ? `${subject} (${tenant})` : subject;
}

export function device({ device }) {
  return device ?? "Unknown device";
}

export const RULE = {
  "refuse": "refuse the newcomer",
  "end-least-recent": "end the idlest",
  "end-oldest": "end the oldest",
  "ask": "ask which to end",
};

export const SCOPE = { user: "each user", tenant: "each tenant", site: "the site" };

export const END = {
  "logout": "logged out",
  "ended-by-user": "ended by its user",
  "ended-by-admin": "ended by an administrator",
  "limit": "made room",
  "replaced": "replaced by a newer login",
  "refresh-reused": "token copied",
  "idle": "not used",
  "expired": "time was up",
  "key-removed": "key removed",
};

export const KIND = {
  "login": "Login",
  "login-refused": "Turned away",
  "refresh": "Refresh",
  "seat-refused": "No seat on return",
  "reuse": "Token copied",
  "end": "End",
  "ends": "Ends",
  "handoff": "Handed off",
  "refusal": "Refused",
  "keys": "Keys changed",
  "trouble": "Trouble",
  "unusual": "Unusual",
  "other": "Other",
  "audit": "Administrator",
};

/** What is left to say of a happening, beside when, what and whose. */
export function particulars({ reason, scope, limit, code, detail }) {
  const parts = [];
  if (reason) parts.push(END[reason] ?? reason);
  if (scope) parts.push(limit === undefined ? `limit of ${SCOPE[scope]}` : `limit of ${SCOPE[scope]}, ${limit}`);
  if (code) parts.push(code);
  if (detail) parts.push(detail);
  return parts.join(" · ");
}

/** Why something did not work, for people. */
export function complaint(error) {
  if (error.name === "AbortError") return "Somebody else has logged in here meanwhile. Please load the page again.";
  if (!error.code) return "The server cannot be reached. Nothing was changed, as far as this page knows.";
  switch (error.code) {
    case "login-failed": return "This name and password do not belong together.";
    case "step-up-required": return "Nothing was changed: your password was not given.";
    case "session-ended": case "not-authenticated": return "You are no longer logged in.";
    case "internal": return "The server could not record this, or failed. Nothing that is not in the audit has happened.";
    default: return error.message;
  }
}
