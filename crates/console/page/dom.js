// Small words for the page's parts. Text from people is only ever set as text.

import { complaint } from "./words.js";

export function element(id) {
  return document.getElementById(id);
}

/** Makes an element of a class, with texts and elements in it. */
export function make(tag, { testid, ...properties } = {}, ...inside) {
  const made = Object.assign(document.createElement(tag), properties);
  if (testid) made.dataset.testid = testid;
  made.append(...inside);
  return made;
}

/** A cell of a table, which names its column where it stands alone on a narrow screen. */
export function cell(label, ...inside) {
  const made = make("td", {}, ...inside);
  made.setAttribute("role", "cell");
  made.dataset.label = label;
  return made;
}

export function row(testid, ...cells) {
  const made = make("tr", { testid }, ...cells);
  made.setAttribute("role", "row");
  return made;
}

/** Sets a text, and shows its element only where there is one. Nothing is touched that stays the same. */
export function text(id, words) {
  const place = element(id);
  if (place.textContent !== words) place.textContent = words;
  place.hidden = !words;
}

/** Says something to everyone, screen readers included, until it is dismissed. */
export function say(words) {
  text("notice", words);
  element("note").hidden = !words;
}

/** Says what went wrong, at its place and at the fields that it is about. */
export function fail(id, words, ...fields) {
  text(id, words);
  for (const field of fields) field.ariaInvalid = words ? "true" : null;
  if (words) fields[0]?.focus();
}

export function button(testid, words, label, act, className = "quiet small") {
  const made = make("button", { type: "button", className, testid, textContent: words });
  made.setAttribute("aria-label", label);
  onClick(made, act);
  return made;
}

/** Numbers questions: each call is one, and returns whether it is the last one still. Answers to earlier ones come too late. */
export function questions() {
  let asked = 0;
  return () => {
    const turn = ++asked;
    return () => turn === asked;
  };
}

/** Does the work as a choice changes. */
export function onChange(field, act) {
  field.addEventListener("change", () => told(act));
}

/** Does the work at a click, and nothing at further clicks until it is done. */
export function onClick(button, act) {
  button.addEventListener("click", () => busy([button], act));
}

/** Does the work at the submission of a form. */
export function onSubmit(form, act) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy([...form.querySelectorAll("[type=submit]")], act);
  });
}

/** Marks buttons while work is under way. They stay enabled, since a disabled one would lose the focus. */
async function busy(buttons, act) {
  if (buttons.some((button) => button.ariaDisabled)) return;
  for (const button of buttons) button.ariaDisabled = "true";
  await told(act);
  for (const button of buttons) button.ariaDisabled = null;
}

/** Does the work; what goes wrong, and has no place of its own, is said to everyone. */
async function told(act) {
  try {
    await act();
  } catch (error) {
    say(complaint(error));
  }
}

/** Whether somebody works with a part of the page just now: then it is not replaced below their hands. */
export function isIn(place) {
  return place.contains(document.activeElement);
}
