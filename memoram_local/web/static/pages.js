// What scripts add to pages that work without them: copying, the reader's own time, and focus that is not lost.
"use strict";

(() => {
  const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

  function tellOwnTime(root) {
    for (const time of root.querySelectorAll("time:not([title])")) {
      time.title = time.textContent;
      time.textContent = shown.format(new Date(time.dateTime));
    }
  }

  function offerToCopy(root) {
    // Browsers hand out the clipboard to https and to this machine alone.
    if (!navigator.clipboard) return;
    for (const place of root.querySelectorAll(".copyable:not(:has(.copy))")) {
      const code = place.querySelector("code");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy quiet small";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(code.textContent);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(code);
          button.textContent = "Press Ctrl+C";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
      place.append(button);
    }
  }

  function hideWhatScriptsReplace() {
    for (const text of document.querySelectorAll("[data-without-scripts]")) text.hidden = true;
  }

  let decided = null;
  document.addEventListener("htmx:before:request", (event) => {
    decided = event.target.closest?.("article")?.id ?? decided;
  });
  document.addEventListener("htmx:after:swap", () => {
    hideWhatScriptsReplace();
    tellOwnTime(document);
    // The button that was pressed is gone: go on where it was.
    if (decided && document.activeElement === document.body) {
      document.getElementById(decided)?.focus();
      decided = null;
    }
  });

  hideWhatScriptsReplace();
  tellOwnTime(document);
  offerToCopy(document);
})();
