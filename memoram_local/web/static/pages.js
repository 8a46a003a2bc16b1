// What scripts add to pages that work without them: copying, the reader's own time, focus that is not lost, a word
// when the platform is gone, and forms that are sent once however often their button is pressed.
"use strict";

const pages = (() => {
  const GONE = "The platform does not answer. What you see may be out of date; this page goes on when it is back.";

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

  const gone = document.querySelector(".gone");
  function tellGone(text) {
    if (gone && gone.textContent !== text) gone.textContent = text;
  }
  document.addEventListener("htmx:sse:error", () => tellGone(GONE));
  document.addEventListener("htmx:sse:after:connection", () => tellGone(""));
  document.addEventListener("htmx:error", (event) => {
    const isDecision = event.target.closest?.("form") ?? event.detail?.ctx?.sourceElement?.closest?.("form");
    tellGone(isDecision ? `Your decision did not arrive. ${GONE}` : GONE);
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    // These answer in the page, and can be pressed again.
    if (event.defaultPrevented || form.hasAttribute("hx-post")) return;
    if ("sent" in form.dataset) event.preventDefault();
    form.dataset.sent = "";
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

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

  return { offerToCopy };
})();
