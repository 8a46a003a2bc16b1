// Walks the code flow with oauth4webapi. The test is the browser: it reads one line, the address to go to, and
// writes one line, the address that it was sent back to. The last line is what came of it, as JSON.
import { webcrypto } from 'node:crypto'
import * as readline from 'node:readline/promises'

// Node 18, which Debian 12 has, does not have it among its globals.
globalThis.crypto ??= webcrypto
const oauth = await import('oauth4webapi')

const [issuer, clientId, clientSecret, redirectUri, authentication] = process.argv.slice(2)
const insecure = { [oauth.allowInsecureRequests]: true }
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()

const discovered = await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...insecure })
const server = await oauth.processDiscoveryResponse(new URL(issuer), discovered)
const client = { client_id: clientId }
const authenticate = { post: oauth.ClientSecretPost, basic: oauth.ClientSecretBasic }[authentication](clientSecret)

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const address = new URL(server.authorization_endpoint)
for (const [name, value] of Object.entries({
  client_id: clientId,
  redirect_uri: redirectUri,
  response_type: 'code',
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})) {
  address.searchParams.set(name, value)
}
console.log(address.href)

const callback = new URL((await lines.next()).value)
const parameters = oauth.validateAuthResponse(server, client, callback, state)

async function exchange() {
  const answer = await oauth.authorizationCodeGrantRequest(
    server, client, authenticate, parameters, redirectUri, verifier, insecure)
  return await oauth.processAuthorizationCodeResponse(server, client, answer)
}

const tokens = await exchange()
const refreshedAnswer = await oauth.refreshTokenGrantRequest(
  server, client, authenticate, tokens.refresh_token, insecure)
const refreshed = await oauth.processRefreshTokenResponse(server, client, refreshedAnswer)
let replay
try {
  await exchange()
} catch (error) {
  replay = { status: error.status, error: error.error }
}
console.log(JSON.stringify({ tokens, refreshed, replay }))
process.exit(0)
