// The dialog before an act: what it does, whom it hits, and why it is done.

import { element, fail, make, onClick, questions, say } from "./dom.js";
import { complaint } from "./words.js";

/** What was asked last. An act may outlast its question, whose dialog somebody closes: it has no part in the next. */
let current = null;
/** What an act would do. */
const asksEffect = questions();

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
  element("act-ask").disabled = false;
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
  const isLast = asksEffect();
  element("act-effect").textContent = "One moment …";
  element("act-submit").ariaDisabled = "true";
  fail("act-error", "");
  let [words, wrong] = ["", ""];
  try {
    words = await effect(ask && element("act-ask").value);
  } catch (error) {
    wrong = complaint(error);
  }
  if (!isLast()) return;
  element("act-effect").textContent = words;
  element("act-submit").ariaDisabled = null;
  if (wrong) fail("act-error", wrong);
}

export function showConfirm() {
  element("act-ask").addEventListener("change", foresee);
  onClick(element("act-cancel"), () => element("act").close());
  element("act-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!element("act-submit").ariaDisabled) goThrough(current);
  });
}

async function goThrough(question) {
  const [submit, choice] = [element("act-submit"), element("act-ask")];
  const isOpen = () => question === current && element("act").open;
  [submit.ariaDisabled, choice.disabled] = ["true", true];
  let after = null;
  try {
    after = await question.act(element("act-why").value, question.ask && choice.value);
    if (isOpen()) element("act").close();
  } catch (error) {
    if (isOpen()) fail("act-error", complaint(error));
    else say(complaint(error));
  }
  if (isOpen()) [submit.ariaDisabled, choice.disabled] = [null, false];
  after?.();
}
