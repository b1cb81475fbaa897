// The cart: the application's own data, kept in the state token. It works for visitors too.

import { call } from "./call.js";
import { element, fail, onClick, onSubmit, row, text } from "./dom.js";
import { complaint } from "./words.js";

export function showCart(session) {
  const form = element("cart-form");

  onSubmit(form, async (submitter) => {
    const item = form.item.value;
    const exclusive = submitter?.value === "exclusive";
    const url = exclusive ? "/api/cart?exclusive=1" : "/api/cart";
    if (!await change("POST", url, { body: { item }, exclusive })) return;
    // What was typed meanwhile is the next item.
    if (form.item.value === item) form.item.value = "";
    form.item.focus();
  });
  onClick(element("cart-clear"), () => change("DELETE", "/api/cart", { exclusive: session.current.get().session != null }));

  async function change(method, url, options) {
    try {
      show(await (await call(session, method, url, options)).json());
      fail("cart-error", "", form.item);
      return true;
    } catch (error) {
      fail("cart-error", complaint(error), form.item);
      return false;
    }
  }

  /** Shows the cart of whoever is here. The page says elsewhere where there is no connection. */
  async function load(someone) {
    element("cart-add-exclusive").hidden = element("cart-exclusive-hint").hidden = !someone;
    try {
      show(await (await call(session, "GET", "/api/cart")).json());
      fail("cart-error", "", form.item);
    } catch (error) {
      if (error.code) text("cart-error", complaint(error));
    }
  }

  return { load };
}

function show({ cart, version }) {
  element("cart-list").replaceChildren(...cart.map((item) => row("cart-item", item)));
  element("cart-empty").hidden = cart.length > 0;
  element("cart-version").textContent = version;
  element("cart-foot").hidden = false;
}
