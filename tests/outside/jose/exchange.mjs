// Reads tokens that Python wrote, and writes tokens for Python to read: with npm's jose in its default
// configuration, and with WebCrypto alone.
//
//     node exchange.mjs < {"key": hex, "text": ..., "tokens": {name: token}}
//
// Prints {"jose": {name: text}, "webcrypto": {name: text}, "written": {name: token}}.

import { compactDecrypt, CompactEncrypt } from "jose";
import { readFileSync } from "node:fs";

const { key: hex, text, tokens } = JSON.parse(readFileSync(0, "utf8"));
const key = Buffer.from(hex, "hex");
const bits = key.length * 8;
const unpadded = (segment) => new Uint8Array(Buffer.from(segment, "base64url"));
const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

async function readWithWebCrypto(token) {
  const [header, wrapped, iv, ciphertext, tag] = token.split(".");
  const { alg } = JSON.parse(Buffer.from(header, "base64url").toString());
  let contentKey;
  if (alg === "dir") {
    contentKey = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  } else {
    const wrapping = await crypto.subtle.importKey("raw", key, "AES-KW", false, ["unwrapKey"]);
    contentKey = await crypto.subtle.unwrapKey(
      "raw", unpadded(wrapped), wrapping, "AES-KW", "AES-GCM", false, ["decrypt"],
    );
  }
  const sealed = Buffer.concat([unpadded(ciphertext), unpadded(tag)]);
  const plain = await crypto.subtle.decrypt(
    { name: "AES-GCM", iv: unpadded(iv), additionalData: Buffer.from(header, "ascii") }, contentKey, sealed,
  );
  return Buffer.from(plain).toString("utf8");
}

async function writeWithWebCrypto(header) {
  const contentKey = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  const segment = base64url(Buffer.from(JSON.stringify(header)));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = new Uint8Array(await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: Buffer.from(segment, "ascii") }, contentKey, Buffer.from(text),
  ));
  const parts = [iv, sealed.slice(0, -16), sealed.slice(-16)].map(base64url);
  return [segment, "", ...parts].join(".");
}

const jose = {};
const webcrypto = {};
for (const [name, token] of Object.entries(tokens)) {
  jose[name] = Buffer.from((await compactDecrypt(token, key)).plaintext).toString("utf8");
  webcrypto[name] = await readWithWebCrypto(token);
}
const header = { alg: "dir", enc: `A${bits}GCM`, kid: "3", typ: "memoram-content+jwe" };
const make = (changes) => new CompactEncrypt(Buffer.from(text)).setProtectedHeader({ ...header, ...changes }).encrypt(key);
const written = {
  "jose, directly": await make({}),
  "jose, wrapped": await make({ alg: `A${bits}KW` }),
  "WebCrypto": await writeWithWebCrypto(header),
};
console.log(JSON.stringify({ jose, webcrypto, written }));
