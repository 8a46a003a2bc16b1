// An agent that follows a script, on one of the official clients for JavaScript.
// node agent.mjs 'client auto' | 'client legacy' | sdk, with a line on stdin: {server, capabilities},
// where server is {command, args, env} or {url, token}.
// Each URL that the client shows is a line of output. So is what the agent tells its user when a call was refused:
// it calls again after another line of input. The last line is what the tools answered.

import { createInterface } from 'node:readline';

const [which, mode] = process.argv[2].split(' ');
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const line = async () => (await lines.next()).value;
const { server, capabilities } = JSON.parse(await line());
const who = { name: 'memoram-tests', version: '1' };
const options = { capabilities };

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
  if (capabilities.elicitation) {
    client.setRequestHandler(elicitation, async (request) => {
      console.log(JSON.stringify({ shown: request.params.url }));
      return { action: 'accept' };
    });
  }
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
let remembered;
const remember = () => call('remember', { content: 'Prefers window seats', tags: ['travel'] });
while ((remembered = await remember()).isError) {
  console.log(JSON.stringify({ told: remembered.text }));
  await line();
}
const answers = {
  remembered,
  tools: (await client.listTools()).tools.map((tool) => tool.name),
  recalled: await call('recall', { query: 'Which seat?' }),
  tags: await call('tags', {}),
  prompt: (await client.getPrompt({ name: 'recall', arguments: { question: 'Which seat?' } })).messages[0].content.text,
};
answers.resource = (await client.readResource({ uri: `memory://${remembered.structuredContent.id}` })).contents[0].text;
console.log(JSON.stringify({ answers }));
await client.close();
process.stdin.destroy();
