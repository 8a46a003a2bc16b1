// Decrypts memories in the browser: JWE in compact form, `dir` with AES-GCM (RFC 7516, RFC 7518 section 5.3).
// Keys stay in this script, as CryptoKeys that cannot be read back, or on request in this tab; see tab.js.
"use strict";

(() => {
  const HEX_DIGITS = { A128GCM: 32, A192GCM: 48, A256GCM: 64 };
  const NO_MEMORY_TYPES = ["", "JOSE", "JWE", "JWT"];

  class Unreadable extends Error {}

  function octetsOf(segment) {
    if (!/^[A-Za-z0-9_-]*$/.test(segment)) throw new Unreadable("It is damaged: not a JWE in compact form.");
    const binary = atob(segment.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  }

  function parsed(content) {
    const segments = content.split(".");
    if (segments.length !== 5) throw new Unreadable("It is not encrypted in a form known here.");
    let header;
    try {
      header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(octetsOf(segments[0])));
    } catch {
      throw new Unreadable("It is damaged: its header cannot be read.");
    }
    if (header.alg !== "dir" || !(header.enc in HEX_DIGITS) || segments[1] !== "") {
      throw new Unreadable(`Encrypted with ${header.alg} and ${header.enc}, which this page does not read.`);
    }
    if ("zip" in header || "crit" in header) throw new Unreadable("It asks for what this page does not do.");
    const type = String(header.typ ?? "");
    if (!NO_MEMORY_TYPES.includes(type) && type !== "memoram-content+jwe") {
      throw new Unreadable(`It says that it is ${type}, not the content of a memory.`);
    }
    const [iv, ciphertext, tag] = segments.slice(2).map(octetsOf);
    if (iv.length !== 12 || tag.length !== 16) throw new Unreadable("It is damaged: lengths are wrong.");
    const sealed = new Uint8Array(ciphertext.length + tag.length);
    sealed.set(ciphertext);
    sealed.set(tag, ciphertext.length);
    return { header, iv, sealed, additionalData: new TextEncoder().encode(segments[0]) };
  }

  async function decrypted(content, keys) {
    const { header, iv, sealed, additionalData } = parsed(content);
    const version = header.kid === undefined ? "a key of no version" : `key version ${header.kid}`;
    const fitting = keys.filter((key) => key.digits === HEX_DIGITS[header.enc]);
    if (!fitting.length) throw new Unreadable(`It needs a key of ${HEX_DIGITS[header.enc]} digits (${version}).`);
    for (const key of fitting) {
      try {
        const octets = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key.secret, sealed);
        return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets), version };
      } catch {
        // Another key may open it.
      }
    }
    if (header.kid !== undefined && !keys.some((key) => String(key.version) === String(header.kid))) {
      throw new Unreadable(`It was encrypted with ${version}, which this tab does not have. Decrypt again to get it.`);
    }
    throw new Unreadable(
      `No version of your key opens it. It says ${version}: it was encrypted with another key, or changed.`,
    );
  }

  async function imported({ version, key }) {
    const secret = await crypto.subtle.importKey("raw", tab.octetsOf(key), "AES-GCM", false, ["decrypt"]);
    return { version, secret, digits: key.length };
  }

  async function show(place, keys) {
    try {
      const answer = await fetch(place.dataset.content, { cache: "no-store", redirect: "error" });
      if (!answer.ok) throw new Unreadable("It could not be loaded.");
      const { text, version } = await decrypted(await answer.text(), keys);
      place.textContent = text;
      place.title = `Decrypted in this browser with ${version}`;
      place.classList.remove("unreadable");
      return true;
    } catch (error) {
      const isUnloaded = error instanceof TypeError;
      place.textContent =
        error instanceof Unreadable ? error.message : `It could not be ${isUnloaded ? "loaded" : "decrypted"}.`;
      place.classList.add("unreadable");
      return false;
    } finally {
      place.hidden = false;
    }
  }

  const section = document.querySelector("[data-unlock]");
  if (!section) return;
  const form = section.querySelector("form");
  const password = form.querySelector("[data-password] input");
  const keep = form.querySelector("[data-keep]");
  const forget = form.querySelector("[data-forget]");
  const status = section.querySelector("[data-status]");
  const places = [...document.querySelectorAll("[data-content]")];

  function say(message, isProblem = false) {
    status.textContent = message;
    status.classList.toggle("bad", isProblem);
  }

  async function unlock(texts) {
    const keys = await Promise.all(texts.map(imported));
    const results = await Promise.all(places.map((place) => show(place, keys)));
    const opened = results.filter(Boolean).length;
    // What is left to decrypt may need a newer key.
    offer(opened < results.length);
    say(
      opened ? `${opened} of ${results.length} decrypted, in this browser alone.` : "Your key decrypts none of them.",
    );
    forget.hidden = false;
    tab.watch();
  }

  function offer(isOpen) {
    for (const part of form.querySelectorAll("[data-offer]")) part.hidden = !isOpen;
    section.querySelector("p[data-offer]").hidden = !isOpen;
  }

  function conceal() {
    offer(true);
    for (const place of places) {
      place.textContent = "";
      place.hidden = true;
    }
  }

  function lock(message) {
    tab.forget();
    conceal();
    forget.hidden = true;
    keep.checked = false;
    say(message);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say("");
    try {
      await unlock(await tab.keys({ password: password.value, keep: keep.checked }));
      password.value = "";
      // The button that was pressed may be gone.
      if (!document.activeElement || document.activeElement === document.body) forget.focus();
    } catch (error) {
      say(error.message, true);
      password.focus();
    }
  });
  forget.addEventListener("click", () => {
    lock("The key is forgotten.");
    form.querySelector("button").focus();
  });
  addEventListener("pagehide", () => {
    // The browser may bring this page back after the session is over.
    conceal();
    say("");
  });
  addEventListener("pageshow", (event) => event.persisted && open());
  document.addEventListener("memoram:session-over", () => lock("You are signed out: what was decrypted is hidden again."));

  async function open() {
    try {
      const kept = await tab.keptKeys();
      if (!kept) return;
      keep.checked = true;
      await unlock(kept);
    } catch (error) {
      if (error.status !== 401) say(error.message, true);
    }
  }

  if (!window.crypto?.subtle) {
    say("This browser decrypts only over https or on this machine (localhost, 127.0.0.1).");
    form.hidden = true;
  }
  section.hidden = false;
  if (!form.hidden) open();
})();
