// What an administrator should look at.

import { element, make, text } from "./dom.js";
import { look } from "./server.js";
import { KIND, particulars, when } from "./words.js";

const TITLE = {
  "refresh-reused": "A refresh token was copied",
  "forged-tokens": "Forged tokens",
  "refused-logins": "Many are turned away",
  "device-changed": "Another device",
  "session-refused-often": "A session is refused often",
  "refusals": "Many requests are refused",
};

export async function loadUnusual({ passive = false } = {}) {
  const { unusual } = await look("unusual", { passive });
  text("unusual-count", unusual.length ? `${unusual.length}` : "");
  element("unusual-list").replaceChildren(...unusual.map(entry));
  element("unusual-list").hidden = unusual.length === 0;
  element("unusual-empty").hidden = unusual.length > 0;
}

function entry(one) {
  const whose = [one.subject, one.session && `session ${one.session.slice(0, 8)}`, particulars(one)].filter(Boolean).join(" · ");
  return make("li", { testid: "unusual" },
    make("p", {}, make("strong", { textContent: TITLE[one.oddity] ?? KIND[one.kind] ?? one.oddity }), " ", make("span", { className: "hint", textContent: when(one.at) })),
    make("p", { textContent: one.explanation }),
    make("p", { className: "hint", textContent: whose }));
}
