// Small words for the page's parts. Text from people is only ever set as text.

export function element(id) {
  return document.getElementById(id);
}

/** Says something to everyone, screen readers included. */
export function say(text) {
  element("notice").textContent = text;
}

/** A list entry with a text, a hint, and what else belongs into it. */
export function row(testid, text, hint = "", ...more) {
  const li = element("row").content.firstElementChild.cloneNode(true);
  li.dataset.testid = testid;
  li.querySelector(".what").textContent = text;
  li.querySelector(".hint").textContent = hint;
  if (!hint) li.querySelector(".hint").remove();
  li.append(...more);
  return li;
}

export function button(testid, text, label, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.dataset.testid = testid;
  button.textContent = text;
  button.setAttribute("aria-label", label);
  button.addEventListener("click", () => busy(button, act));
  return button;
}

/** Disables a button while its work is under way. */
export async function busy(button, act) {
  button.disabled = true;
  try {
    await act();
  } finally {
    button.disabled = false;
  }
}

/** When something last happened, roughly. */
export function ago(seconds) {
  if (seconds < 60) return "just now";
  const [value, unit] = seconds < 3600 ? [60, "minute"] : seconds < 86400 ? [3600, "hour"] : [86400, "day"];
  return new Intl.RelativeTimeFormat("en").format(-Math.floor(seconds / value), unit);
}

/** Why a session ended, for people. */
export function sentence(reason) {
  const why = {
    "logout": "You are logged out.",
    "ended-by-user": "You ended this session from another device.",
    "ended-by-admin": "An administrator ended this session.",
    "limit": "This session made room for a newer login.",
    "refresh-reused": "This session was used from two places, so it was ended to protect you.",
    "idle": "You were logged out because nobody used this session for a while.",
    "expired": "Your session has reached its end.",
  };
  return why[reason] ?? "You are no longer logged in.";
}
