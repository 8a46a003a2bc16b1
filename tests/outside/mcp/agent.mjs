// An agent that follows a script, on one of the official clients for JavaScript.
// node agent.mjs 'client auto' | 'client legacy' | sdk, with {command, args, env} or {url, token} on stdin.
// Each URL that its user is shown is a line of output; the last line is what the tools answered.

import { readFileSync } from 'node:fs';

const [which, mode] = process.argv[2].split(' ');
const server = JSON.parse(readFileSync(0, 'utf8'));
const who = { name: 'memoram-tests', version: '1' };
const options = { capabilities: { elicitation: { url: {} } } };

async function connected() {
  let client, transport, elicitation;
  if (which === 'sdk') {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
    const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
    const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
    client = new Client(who, options);
    elicitation = ElicitRequestSchema;
    transport = made(StdioClientTransport, StreamableHTTPClientTransport);
  } else {
    const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
    const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
    client = new Client(who, mode === 'auto' ? { ...options, versionNegotiation: { mode } } : options);
    elicitation = 'elicitation/create';
    transport = made(StdioClientTransport, StreamableHTTPClientTransport);
  }
  client.setRequestHandler(elicitation, async (request) => {
    console.log(request.params.url);
    return { action: 'accept' };
  });
  await client.connect(transport);
  return client;
}

function made(Stdio, Http) {
  if (server.url === undefined) return new Stdio(server);
  return new Http(new URL(server.url), { requestInit: { headers: { Authorization: `Bearer ${server.token}` } } });
}

const client = await connected();
const call = async (name, args) => {
  const { content, isError = false, structuredContent } = await client.callTool({ name, arguments: args });
  return { text: content.map((block) => block.text).join('\n'), isError, structuredContent };
};
const answers = {
  tools: (await client.listTools()).tools.map((tool) => tool.name),
  remembered: await call('remember', { content: 'Prefers window seats', tags: ['travel'] }),
  recalled: await call('recall', { query: 'Which seat?' }),
  tags: await call('tags', {}),
  prompt: (await client.getPrompt({ name: 'recall', arguments: { question: 'Which seat?' } })).messages[0].content.text,
};
answers.resource = (await client.readResource({ uri: `memory://${answers.remembered.structuredContent.id}` })).contents[0].text;
console.log(JSON.stringify(answers));
await client.close();
