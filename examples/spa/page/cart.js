// The cart: the application's own data, kept in the state token. It works for visitors too.

import { busy, element, row } from "./dom.js";

export function showCart(session) {
  const form = element("cart-form");

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(form.querySelector("[type=submit]"), async () => {
      if (await load("POST", { body: { item: form.item.value } })) form.reset();
      form.item.focus();
    });
  });
  element("cart-clear").addEventListener("click", ({ target }) => busy(target, () => load("DELETE")));

  async function load(method = "GET", options) {
    try {
      show(await session.call(method, "/api/cart", options));
      fail("");
      return true;
    } catch (problem) {
      fail(words(problem));
      return false;
    }
  }

  function fail(text) {
    element("cart-error").textContent = text;
    element("cart-error").hidden = !text;
  }

  return { load };
}

function show({ cart, version }) {
  element("cart-list").replaceChildren(...cart.map((item) => row("cart-item", item)));
  element("cart-empty").hidden = cart.length > 0;
  element("cart-version").textContent = version;
}

function words(problem) {
  switch (problem.code) {
    case "state-too-large": return "Your cart is full: this does not fit any more.";
    case "state-superseded": return "Your cart is being changed elsewhere. Please try again in a minute.";
    case "state-lost": return "This browser has lost your cart. Empty it to begin anew.";
    default: return problem.message;
  }
}
