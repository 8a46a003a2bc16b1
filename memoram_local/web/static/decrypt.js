// Decrypts memories in the browser: JWE in compact form, `dir` with AES-GCM (RFC 7516, RFC 7518 section 5.3).
// Keys stay in this script, as CryptoKeys that cannot be read back, or on request in this tab's storage.
"use strict";

(() => {
  const STORED = "memoram-encryption-keys";
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
    throw new Unreadable(
      `This key does not open it. It was encrypted with ${version}: this is another one, or the content was changed.`,
    );
  }

  async function importedKey(text) {
    const digits = text.trim();
    if (!/^[0-9A-Fa-f]+$/.test(digits) || !Object.values(HEX_DIGITS).includes(digits.length)) {
      throw new Unreadable(`A key has 64 hexadecimal digits; this has ${digits.length} characters.`);
    }
    const octets = Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));
    try {
      const secret = await crypto.subtle.importKey("raw", octets, "AES-GCM", false, ["decrypt"]);
      return { secret, digits: digits.length };
    } catch {
      throw new Unreadable("This browser cannot use keys of that length.");
    }
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
      place.textContent = error instanceof Unreadable ? error.message : "It could not be decrypted.";
      place.classList.add("unreadable");
      return false;
    } finally {
      place.hidden = false;
    }
  }

  const section = document.querySelector("[data-unlock]");
  if (!section) return;
  const form = section.querySelector("form");
  const input = form.querySelector("#encryption-key");
  const remember = form.querySelector("[data-remember]");
  const forget = form.querySelector("[data-forget]");
  const problem = form.querySelector("#unlock-problem");
  const status = section.querySelector("[data-unlock-status]");
  const places = [...document.querySelectorAll("[data-content]")];
  // Memories from before a new key need the old one too: keys add up until they are forgotten.
  let keys = [];

  function refuse(message) {
    problem.textContent = message;
    problem.hidden = false;
    input.setAttribute("aria-invalid", "true");
    input.focus();
  }

  async function unlock(texts) {
    keys = keys.concat(await Promise.all(texts.map(importedKey)));
    const results = await Promise.all(places.map((place) => show(place, keys)));
    const opened = results.filter(Boolean).length;
    status.textContent = opened
      ? `${opened} of ${results.length} decrypted, in this browser alone.`
      : "This key decrypts none of them.";
    forget.hidden = false;
  }

  function remembered() {
    return (sessionStorage.getItem(STORED) ?? "").split(" ").filter(Boolean);
  }

  function lock() {
    sessionStorage.removeItem(STORED);
    keys = [];
    for (const place of places) {
      place.textContent = "";
      place.hidden = true;
    }
    status.textContent = "Nothing is remembered any more.";
    forget.hidden = true;
    input.focus();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = input.value;
    problem.hidden = true;
    input.removeAttribute("aria-invalid");
    try {
      await unlock([text]);
      if (remember.checked) sessionStorage.setItem(STORED, [...remembered(), text.trim()].join(" "));
      input.value = "";
    } catch (error) {
      refuse(error instanceof Unreadable ? error.message : "The memories could not be decrypted.");
    }
  });
  forget.addEventListener("click", lock);

  if (!window.crypto?.subtle) {
    status.textContent = "This browser decrypts only over https or on this machine (localhost, 127.0.0.1).";
    form.hidden = true;
  }
  section.hidden = false;
  if (remembered().length && !form.hidden) {
    remember.checked = true;
    unlock(remembered()).catch(lock);
  }
})();
