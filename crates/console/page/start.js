// Loads the page's scripts, and says so where that fails: nothing here may depend on any of them.

import("./app.js").catch(() => {
  document.getElementById("broken").hidden = false;
  document.getElementById("status").hidden = true;
  document.getElementById("reload").addEventListener("click", () => location.reload());
});
