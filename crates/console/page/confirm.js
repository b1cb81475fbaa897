// The dialog before an act: what it does, whom it hits, and why it is done.

import { element, fail, make, onClick, onSubmit } from "./dom.js";
import { complaint } from "./words.js";

let current = null;
/** The number of the last question what an act would do: answers to earlier ones come too late. */
let asked = 0;

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

/** Shows what the act would do; until then, it cannot be submitted. */
async function foresee() {
  const { effect, ask } = current;
  const question = ++asked;
  element("act-effect").textContent = "One moment …";
  element("act-submit").ariaDisabled = "true";
  fail("act-error", "");
  let [words, wrong] = ["", ""];
  try {
    words = await effect(ask && element("act-ask").value);
  } catch (error) {
    wrong = complaint(error);
  }
  if (question !== asked) return;
  element("act-effect").textContent = words;
  element("act-submit").ariaDisabled = null;
  if (wrong) fail("act-error", wrong);
}

export function showConfirm() {
  const dialog = element("act");
  element("act-ask").addEventListener("change", foresee);
  onClick(element("act-cancel"), () => dialog.close());
  onSubmit(element("act-form"), async () => {
    const { act, ask } = current;
    const choice = element("act-ask");
    choice.disabled = true;
    try {
      const after = await act(element("act-why").value, ask && choice.value);
      dialog.close();
      after?.();
    } catch (error) {
      fail("act-error", complaint(error));
    } finally {
      choice.disabled = false;
    }
  });
}
