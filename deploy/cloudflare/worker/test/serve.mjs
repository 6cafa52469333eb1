// Runs the Worker for tests in another language. One JSON object a line:
//
//   in   {"bucket":"registry","credentials":{…},"tls":{"key":PEM,"cert":PEM}}   first
//   out  {"origin":"https://127.0.0.1:1234","s3Endpoint":"…"}
//   in   {"purge":["https://127.0.0.1:1234/v1/…"]}
//   out  {"purged":1}
//
// A line that fails is answered with {"error":"…"}. It ends when its input does,
// so that it never outlives the test that started it.

import { createInterface } from "node:readline";
import { startWorld } from "./world.mjs";

const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");
let world;

async function obey(line) {
  const order = JSON.parse(line);
  if (world === undefined) {
    world = await startWorld(order);
    return { origin: world.origin, s3Endpoint: world.s3Endpoint };
  }
  return { purged: await world.purge(order.purge) };
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    say(await obey(line));
  } catch (error) {
    say({ error: String(error) });
  }
}
await world?.stop();
