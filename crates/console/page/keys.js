// The key ring.

import { confirm } from "./confirm.js";
import { button, cell, element, make, onClick, row, say } from "./dom.js";
import { act, look, session } from "./server.js";
import { lasting, when } from "./words.js";

const STATE = {
  published: "published: it signs next",
  signing: "signing",
  retiring: "retiring: it verifies only",
};

export function showKeys() {
  let ring = { keys: [], removed: [] };

  onClick(element("key-rotate"), () => confirm({
    title: "Let another key sign?",
    submit: "Rotate",
    danger: false,
    effect: async () => ring.keys.some(({ state }) => state === "published")
      ? "The published key signs from now on; the one that signed until now still verifies. Nobody is logged out."
      : "A fresh key signs at once; the one that signed until now still verifies. Nobody is logged out here; other nodes and "
        + "services refuse its tokens for the seconds until they have looked at the keys again.",
    act: async (why) => {
      show(await act("POST", "keys/rotate", { why }));
      say("Another key signs now.");
    },
  }));

  async function load({ passive = false } = {}) {
    show(await look("keys", { passive }));
  }

  function show(next) {
    ring = next;
    element("keys-algorithm").textContent = ring.algorithm;
    element("keys-rows").replaceChildren(...ring.keys.map(entry), ...ring.removed.map(gone));
  }

  function entry({ kid, state, since }) {
    return row("key", cell("Key", make("code", { textContent: kid })),
      cell("State", make("span", { className: `tag ${state}`, textContent: STATE[state] ?? state })),
      cell("Since", `${when(since)}, ${lasting(session.now() - since)}`),
      cell("", button("key-remove", "Remove now", `Remove now: the key ${kid}`, () => remove(kid, state), "quiet small danger")));
  }

  function gone({ kid, at }) {
    return row("key-removed", cell("Key", make("code", { textContent: kid })),
      cell("State", make("span", { className: "tag removed", textContent: "removed for ever" })), cell("Since", when(at)), cell(""));
  }

  function remove(kid, state) {
    return confirm({
      title: `Remove the key ${kid}?`,
      submit: "Remove it",
      effect: async () => `Whatever it signed is refused at once, everywhere and for ever: ${state === "signing"
        ? "everyone whose tokens it signed has to log in again, you perhaps too. Another key signs from then on."
        : "whoever holds nothing newer has to log in again."}`,
      act: async (why) => {
        show(await act("POST", "keys/remove", { kid, why }));
        say("The key is removed.");
      },
    });
  }

  return { load };
}
