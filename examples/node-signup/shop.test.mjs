// Run it with `sandbox run -- node --test`: that starts a sandbox, says where it is, and stops it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createShop } from "./shop.mjs";

async function waitForLetter(letter) {
  const response = await fetch(`${process.env.SANDBOX_URL}api/v1/wait/letters`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ letter, timeout: 10 }),
  });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer.letters[0].letter;
}

test("who signs up confirms the address", async () => {
  const shop = createShop().listen(0, "127.0.0.1");
  await new Promise((resolve) => shop.once("listening", resolve));
  try {
    const home = `http://127.0.0.1:${shop.address().port}`;
    await fetch(`${home}/signup?email=bob@example.com`);
    const letter = await waitForLetter({ to: "bob@example.com", subject: "confirm" });
    assert.equal(await (await fetch(letter.links[0])).text(), "bob@example.com is a member.");
  } finally {
    shop.closeAllConnections();
    shop.close();
  }
});
