// What this tab knows of its user: that the password was typed in it a moment ago and, when told to keep it, the
// encryption key. Storage is this origin's alone, port included, where cookies are not. What is kept is sealed with
// a secret that the server gives to the session alone: when the session is over, nobody can open it again.
"use strict";

const tab = (() => {
  const ID = "memoram-tab";
  const CONFIRMED_UNTIL = "memoram-confirmed-until";
  const KEPT = "memoram-kept-keys";
  const SECONDS_BETWEEN_LOOKS = 20;

  // Somebody else's word is not a page: what is thrown is shown.
  class Refused extends Error {
    constructor(message, status) {
      super(message);
      this.status = status;
    }
  }

  const hex = (octets) => Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
  const octetsOf = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));

  function id() {
    let digits = sessionStorage.getItem(ID);
    if (!digits) {
      digits = hex(crypto.getRandomValues(new Uint8Array(32)));
      sessionStorage.setItem(ID, digits);
    }
    return digits;
  }

  function isConfirmed() {
    return Number(sessionStorage.getItem(CONFIRMED_UNTIL) ?? 0) > Date.now();
  }

  function confirmedFor(seconds) {
    // A little less than the server says, so that no form is sent in vain.
    sessionStorage.setItem(CONFIRMED_UNTIL, String(Date.now() + (seconds - 5) * 1000));
    showPasswordFields();
  }

  function askAgain() {
    sessionStorage.removeItem(CONFIRMED_UNTIL);
    showPasswordFields();
  }

  // A password that was typed a moment ago is not asked for again; without scripts it always is.
  function showPasswordFields() {
    const hidden = isConfirmed();
    for (const field of document.querySelectorAll("[data-password]")) {
      field.hidden = hidden;
      if (hidden) field.querySelector("input").value = "";
    }
  }

  async function ask(address, options) {
    let answer;
    try {
      answer = await fetch(address, { cache: "no-store", redirect: "error", ...options });
    } catch {
      throw new Refused("The platform does not answer. Is it running?", 0);
    }
    const content = await answer.json().catch(() => ({}));
    if (answer.status === 401) sessionIsOver();
    if (!answer.ok) throw new Refused(content.problem ?? "The platform refused it.", answer.status);
    return content;
  }

  // Every version of the key, newest first; kept in this tab only if asked to.
  async function keys({ password, keep }) {
    const body = new URLSearchParams({ password, tab: id() });
    try {
      const content = await ask("/dashboard/key/versions", { method: "POST", body });
      confirmedFor(content.confirmedSeconds);
      if (keep) await putAside(content.keys, content.seal);
      return content.keys;
    } catch (error) {
      if (error.status === 403) askAgain();
      throw error;
    }
  }

  async function sealing(digits) {
    return crypto.subtle.importKey("raw", octetsOf(digits), "AES-GCM", false, ["encrypt", "decrypt"]);
  }

  async function putAside(content, digits) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const text = new TextEncoder().encode(JSON.stringify(content));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await sealing(digits), text);
    sessionStorage.setItem(KEPT, `${hex(iv)} ${hex(new Uint8Array(sealed))}`);
  }

  // The keys that this tab keeps; null when it keeps none, or none of this session.
  async function keptKeys() {
    const kept = sessionStorage.getItem(KEPT);
    if (!kept) return null;
    const { seal } = await ask("/dashboard/key/seal");
    try {
      const [iv, sealed] = kept.split(" ").map(octetsOf);
      const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await sealing(seal), sealed);
      return JSON.parse(new TextDecoder().decode(text));
    } catch {
      forget();
      return null;
    }
  }

  function forget() {
    sessionStorage.removeItem(KEPT);
  }

  function sessionIsOver() {
    forget();
    sessionStorage.removeItem(CONFIRMED_UNTIL);
    document.dispatchEvent(new Event("memoram:session-over"));
  }

  // While a page shows what only this session may see, it looks whether the session goes on.
  let isWatching = false;
  function watch() {
    if (isWatching) return;
    isWatching = true;
    const look = () => {
      if (!document.hidden) ask("/dashboard/key/seal").catch(() => {});
    };
    setInterval(look, SECONDS_BETWEEN_LOOKS * 1000);
    document.addEventListener("visibilitychange", look);
    addEventListener("pageshow", (event) => event.persisted && look());
  }

  const otherTabs = new BroadcastChannel("memoram");
  otherTabs.addEventListener("message", sessionIsOver);

  function isEnding() {
    otherTabs.postMessage("signing out");
  }

  for (const field of document.querySelectorAll("[data-tab]")) field.value = id();
  const confirmed = document.querySelector("[data-confirmed-seconds]");
  if (confirmed) confirmedFor(Number(confirmed.dataset.confirmedSeconds));
  // The server has just asked for it.
  if (document.querySelector("[data-password] [aria-invalid]")) askAgain();
  showPasswordFields();
  for (const form of document.querySelectorAll("form[action='/signout']")) form.addEventListener("submit", isEnding);

  return { forget, isConfirmed, keptKeys, keys, octetsOf, watch };
})();
