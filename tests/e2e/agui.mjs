// A program that speaks AG-UI by its own TypeScript client: asks for an event, edits the proposal, confirms it twice.
// node agui.mjs CLIENT URL TOKEN THREAD; prints one JSON object.

const [client, url, token, threadId] = process.argv.slice(2);
const { HttpAgent } = await import(client);

const agent = new HttpAgent({ url, threadId, headers: { Authorization: `Bearer ${token}` } });
const deltas = [];
const events = [];
const run = (more = {}) =>
  agent.runAgent(more, {
    onEvent: ({ event }) => void events.push(event.type),
    onTextMessageContentEvent: ({ event }) => void deltas.push(event.delta),
  });

agent.addMessage({ id: "u1", role: "user", content: "An event in San Francisco in March" });
await run();
const asked = agent.pendingInterrupts;
const payload = { approved: true, arguments: { ...asked[0].metadata.arguments, month: "April" } };
const resume = [{ interruptId: asked[0].id, status: "resolved", payload }];
const before = structuredClone(agent.messages);
await run({ resume });
const answered = structuredClone(agent.messages);

const again = new HttpAgent({ url, threadId, headers: { Authorization: `Bearer ${token}` }, initialMessages: before });
const repeated = await again.runAgent({ resume });
const stranger = new HttpAgent({ url, threadId, headers: { Authorization: "Bearer wrong" } });
const refused = await stranger.runAgent({}).then(() => "", (error) => String(error));

console.log(JSON.stringify({ asked, answered, deltas, events, known: again.messages.length, refused }));
