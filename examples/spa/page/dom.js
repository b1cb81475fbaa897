// Small words for the page's parts. Text from people is only ever set as text.

export function element(id) {
  return document.getElementById(id);
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

/** Says what went wrong, at its place and at the fields that it is about. The focus goes there, so it is read out. */
export function fail(id, words, ...fields) {
  text(id, words);
  for (const field of fields) field.ariaInvalid = words ? "true" : null;
  if (!words) return;
  const place = fields[0] ?? element(id);
  if (place === element(id)) place.tabIndex = -1;
  place.focus();
}

/** A list entry with a text, a hint, and what else belongs into it. */
export function row(testid, words, hint = "", ...more) {
  const li = element("row").content.firstElementChild.cloneNode(true);
  li.dataset.testid = testid;
  li.querySelector(".what").textContent = words;
  li.querySelector(".hint").textContent = hint;
  if (!hint) li.querySelector(".hint").remove();
  li.append(...more);
  return li;
}

export function button(testid, words, label, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.dataset.testid = testid;
  button.textContent = words;
  button.setAttribute("aria-label", label);
  onClick(button, act);
  return button;
}

/** Does the work at a click, and nothing at further clicks until it is done. */
export function onClick(button, act) {
  button.addEventListener("click", () => busy([button], act));
}

/** Does the work at the submission of a form, with the button that it was submitted by. */
export function onSubmit(form, act) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const buttons = [...form.querySelectorAll("[type=submit]")];
    busy(buttons, () => act(event.submitter));
  });
}

/** Marks buttons while work is under way. They stay enabled, since a disabled one would lose the focus. */
async function busy(buttons, act) {
  if (buttons.some((button) => button.ariaDisabled)) return;
  for (const button of buttons) button.ariaDisabled = "true";
  try {
    await act();
  } finally {
    for (const button of buttons) button.ariaDisabled = null;
  }
}

/** Whether the person is at something that can be seen: then the page leaves their focus alone. */
export function isSomewhere() {
  const { activeElement } = document;
  return activeElement !== null && activeElement !== document.body && activeElement.checkVisibility();
}
