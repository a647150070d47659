// Submits a process, watches it to its end and reads what it wrote, by nothing but the generated client. Its argument is
// the address of a server.
import assert from 'node:assert/strict';

import { client } from './generated/client.gen';
import { listOutputParts, showProcess, submitProcess, watchProcess } from './generated/sdk.gen';

const definition = `
deed: v1
name: loud
inputs: [words]
steps:
  shout:
    sh: sleep 1; tr a-z A-Z < "$DEED_IN/words" > "$DEED_OUT/loud"
    each: words
    out: [loud]
outputs: [loud]
`;

async function main(): Promise<void> {
  client.setConfig({ baseUrl: process.argv[2] });
  const id = 'from-a-generated-client';
  const inputs = { words: { values: ['few', 'deeds'] } };

  const first = await submitProcess({ body: { id, definition, inputs }, throwOnError: true });
  assert.equal(first.response.status, 201);
  const again = await submitProcess({ body: { id, definition, inputs }, throwOnError: true });
  assert.equal(again.response.status, 200, 'the same again attaches');
  assert.equal(again.data.attached, true);

  const watch = await watchProcess({ path: { id }, throwOnError: true });
  const seen: string[] = [];
  for await (const standing of watch.stream) {
    seen.push(standing.status);
  }
  assert.equal(seen.at(0), 'running', `the states that were told: ${seen}`);
  assert.equal(seen.at(-1), 'completed', `the states that were told: ${seen}`);

  const shown = await showProcess({ path: { id }, throwOnError: true });
  assert.equal(shown.data.status, 'completed');
  const parts = await listOutputParts({ path: { id, name: 'loud' }, throwOnError: true });
  assert.equal(parts.data.count, 2);

  const unknown = await showProcess({ path: { id: 'nobody' } });
  assert.equal(unknown.response?.status, 404);
  assert.equal(unknown.error?.code, 'no-process', 'a problem has its type');
  console.log(`a generated client submitted and watched ${id}: ${seen.join(', ')}`);
}

void main();
