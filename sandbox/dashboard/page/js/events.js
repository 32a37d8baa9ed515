// The live stream. A hidden tab lets go of its connection, since a browser has six for a host, and goes on by id when
// it is looked at again; so nothing is missed, and thirty forgotten tabs cost nothing.

const NAMES = ["hello", "exchanges", "begun", "sessions", "gap", "stop", "faults"];
const AGAIN = 1500;      // milliseconds until a stream that broke is tried anew

export class Events {
  /** handlers: by event name, each gets the parsed data; `connection` gets "connected", "waiting" or "stopped". */
  constructor(query, handlers) {
    this.query = query;
    this.handlers = handlers;
    this.last = query.after ?? null;
    this.look = () => (document.hidden ? this.pause() : this.open());
    document.addEventListener("visibilitychange", this.look);
    this.look();
  }

  open() {
    if (this.source || this.ended) return;
    const url = new URL("/api/v1/events", location.origin);
    if (this.query.filter) url.searchParams.set("filter", this.query.filter);
    if (this.last !== null) url.searchParams.set("after", this.last);
    const source = this.source = new EventSource(url);
    source.onopen = () => this.tell("connection", "connected");
    source.onerror = () => {
      // With resuming by hand the address always names the last id, also after the sandbox was started anew.
      this.pause();
      this.tell("connection", this.stopped ? "stopped" : "waiting");
      this.timer = setTimeout(this.look, AGAIN);
    };
    for (const name of NAMES) {
      source.addEventListener(name, (event) => {
        if (event.lastEventId) this.last = Number(event.lastEventId);
        this.stopped = name === "stop";
        this.tell(name, event.data ? JSON.parse(event.data) : null);
      });
    }
  }

  tell(name, data) {
    this.handlers[name]?.(data);
  }

  pause() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  close() {
    this.ended = true;
    this.pause();
    document.removeEventListener("visibilitychange", this.look);
  }
}
