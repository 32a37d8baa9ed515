// Asking the sandbox. An answer that is no success becomes a Problem with what was wrong and what to do (RFC 9457).

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The sandbox answered ${status}.`);
    this.status = status;
    this.body = body;
    this.hint = body.hint ?? "";
  }
}

const BASE = "/api/v1/";

/** Told whether the sandbox answered, each time it was asked. */
export const reached = { tell: () => {} };

export async function ask(path, { query = {}, method = "GET", body, signal } = {}) {
  const url = new URL(BASE + path, location.origin);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, value);
  }
  let response;
  try {
    response = await fetch(url, {
      method, signal, credentials: "same-origin", cache: "no-store",
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    reached.tell(false);
    throw new Problem(0, { detail: "The sandbox does not answer.", hint: "Is it still running? Start it with: sandbox up" });
  }
  reached.tell(true);
  const type = response.headers.get("Content-Type") ?? "";
  const parsed = type.includes("json") ? await response.json() : await response.arrayBuffer();
  if (!response.ok) throw new Problem(response.status, type.includes("json") ? parsed : {});
  return parsed;
}

export const octets = (session, stream, start, end, signal) =>
  ask(`sessions/${session}/octets`, { query: { stream, start, end }, signal });
