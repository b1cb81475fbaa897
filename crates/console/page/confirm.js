// The dialog before an act: what it does, whom it hits, and why it is done.

import { element, fail, make, onClick, onSubmit } from "./dom.js";
import { complaint } from "./words.js";

let current = null;

/**
 * Asks before an act. `effect` says in a sentence what it would do, asked from the server as the dialog opens and as
 * `ask` (a choice: its label and options) changes; `act` does it, with the words and the choice, and may return what is
 * to be done once the dialog is closed.
 */
export function confirm({ title, ask, effect, submit, act, danger = true }) {
  current = { ask, effect, act };
  element("act-title").textContent = title;
  element("act-submit").textContent = submit;
  element("act-submit").className = danger ? "danger" : "";
  element("act-form").reset();
  fail("act-error", "");
  element("act-ask-line").hidden = !ask;
  if (ask) {
    element("act-ask-label").textContent = ask.label;
    element("act-ask").replaceChildren(...ask.options.map(([value, words]) => make("option", { value, textContent: words })));
  }
  element("act").showModal();
  element(ask ? "act-ask" : "act-why").focus();
  return foresee();
}

async function foresee() {
  const { effect, ask } = current;
  const place = element("act-effect");
  place.textContent = "One moment …";
  try {
    const words = await effect(ask && element("act-ask").value);
    if (current?.effect === effect) place.textContent = words;
  } catch (error) {
    place.textContent = "";
    fail("act-error", complaint(error));
  }
}

export function showConfirm() {
  const dialog = element("act");
  element("act-ask").addEventListener("change", foresee);
  onClick(element("act-cancel"), () => dialog.close());
  onSubmit(element("act-form"), async () => {
    const { act, ask } = current;
    try {
      const after = await act(element("act-why").value, ask && element("act-ask").value);
      dialog.close();
      after?.();
    } catch (error) {
      fail("act-error", complaint(error));
    }
  });
}
