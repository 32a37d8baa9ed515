// The shop in Node: a web server that sends a letter by SMTP (RFC 5321), without a dependency.

import { createServer } from "node:http";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { randomBytes } from "node:crypto";

/** Hand a letter to the server that SMTP_HOST and SMTP_PORT name. */
export async function send(from, to, text) {
  const socket = connect(Number(process.env.SMTP_PORT), process.env.SMTP_HOST);
  const replies = createInterface({ input: socket })[Symbol.asyncIterator]();
  const say = async (line) => {
    if (line) socket.write(`${line}\r\n`);
    for (;;) {
      const { value, done } = await replies.next();
      if (done) throw new Error("the server has hung up");
      if (value[3] === "-") continue;
      if (value[0] > "3") throw new Error(value);
      return;
    }
  };
  try {
    for (const line of ["", "EHLO shop", `MAIL FROM:<${from}>`, `RCPT TO:<${to}>`, "DATA", `${text}\r\n.`, "QUIT"]) {
      await say(line);
    }
  } finally {
    socket.end();
  }
}

export function createShop() {
  const waiting = new Map();
  return createServer(async (request, response) => {
    const url = new URL(request.url, `http://${request.headers.host}`);
    const address = url.searchParams.get("email");
    const token = url.searchParams.get("token");
    if (address) {
      const made = randomBytes(8).toString("hex");
      waiting.set(made, address);
      await send("shop@example.com", address, `From: shop@example.com\r\nTo: ${address}\r\nSubject: Confirm your address`
        + `\r\n\r\nPlease confirm: ${url.origin}/confirm?token=${made}`);
      response.end("Look into your mail.");
    } else if (waiting.has(token)) {
      response.end(`${waiting.get(token)} is a member.`);
    } else {
      response.writeHead(404).end();
    }
  });
}
