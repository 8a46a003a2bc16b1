// Shows the encryption key, which no page holds, for as long as this page is open and its session goes on.
"use strict";

(() => {
  const section = document.querySelector("[data-key]");
  const form = section.querySelector("form");
  const password = form.querySelector("[data-password] input");
  const shown = section.querySelector("[data-shown]");
  const list = shown.querySelector("ol");
  const status = section.querySelector("[data-status]");
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

  function row({ version, key, retiredAt }) {
    const item = document.createElement("li");
    const label = document.createElement("span");
    label.className = "label";
    label.textContent = retiredAt
      ? `Version ${version}, until ${day.format(new Date(retiredAt))}`
      : `Version ${version}, encrypts new memories`;
    const place = document.createElement("span");
    place.className = "copyable";
    const code = document.createElement("code");
    code.textContent = key;
    place.append(code);
    item.append(label, place);
    return item;
  }

  function hide(message) {
    list.replaceChildren();
    shown.hidden = true;
    form.hidden = false;
    status.textContent = message;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    status.classList.remove("bad");
    status.textContent = "";
    try {
      const keys = await tab.keys({ password: password.value, keep: false });
      password.value = "";
      list.replaceChildren(...keys.map(row));
      pages.offerToCopy(list);
      form.hidden = true;
      shown.hidden = false;
      status.textContent = "Whoever has the key and your stored memories can read them. Keep it like a password.";
      tab.watch();
    } catch (error) {
      status.textContent = error.message;
      status.classList.add("bad");
      password.focus();
    }
  });
  section.querySelector("[data-hide]").addEventListener("click", () => {
    hide("The key is hidden.");
    form.querySelector("button").focus();
  });
  // Nor may it come back from the browser's memory of pages.
  addEventListener("pagehide", () => hide(""));
  document.addEventListener("memoram:session-over", () => hide("You are signed out."));
  form.hidden = false;
})();
