// Exchanges as they come: the filter, what is under way, and the list.

import { ask } from "../api.js";
import { command, h, icon, show } from "../dom.js";
import { Events } from "../events.js";
import { FilterBox } from "../filterbox.js";
import { duration, family, time } from "../format.js";
import { List } from "../list.js";
import { Rows } from "../rows.js";
import { go, state } from "../state.js";

const KINDS = {
  all: "", http: "protocol:http", dns: "protocol:dns", mail: "(protocol:smtp or protocol:pop3 or protocol:imap)", files: "(protocol:ftp or protocol:sftp)", other: "protocol:tcp",
};
const AT_ONCE = 100;      // rows asked for in one go

export class Live {
  constructor(main, { opened, counted, connected }) {
    this.tells = { opened, counted, connected };
    this.rows = new Rows();
    this.begun = new Map();
    this.box = new FilterBox((filter) => go({ filter, exchange: 0 }, { replace: true }));
    this.list = new List(this.rows, { open: (row) => opened(row), narrow: (term) => this.box.narrow(term), more: () => this.more(), anew: () => this.begin() });
    this.chips = h("div", { class: "chips", role: "group", "aria-label": "Kind" }, Object.keys(KINDS).map((name) => h("button", {
      type: "button", dataset: { kind: name === "all" ? "" : name }, onclick: (event) => go({ kind: event.target.dataset.kind, exchange: 0 }, { replace: true }) }, name)));
    this.own = h("button", { type: "button", class: "own", title: "Updates, telemetry, connectivity probes: what browsers ask on their own account",
      onclick: () => go({ own: !state().own }, { replace: true }) });
    this.wayside = h("div", { class: "under-way", "aria-label": "Under way" });
    this.chips.append(this.own);
    this.now = h("span", { class: "now" });
    this.unfold = h("button", { type: "button", class: "unfold", "aria-expanded": "false", onclick: () => this.fold() }, icon("filter"), h("b", {}, "Filter"), this.now);
    this.filters = h("div", { class: "filters" }, this.unfold, h("div", { class: "line" }, this.box.element, this.chips), this.box.words);
    show(main, h("h1", { class: "visually-hidden" }, "Live: exchanges as they happen"), this.filters, this.wayside, this.list.holder, this.list.note);
    this.begin();
  }

  /** On a telephone the filter is behind one tap. */
  fold() {
    const open = this.filters.classList.toggle("open");
    this.unfold.setAttribute("aria-expanded", String(open));
    if (open) this.box.input.focus();
  }

  /** The text that the sandbox gets: the reader's filter, the chip, and the switch. */
  get asked() {
    const { filter, own, kind } = state();
    const text = filter && /\bor\b/.test(filter) ? `(${filter})` : filter;
    return [text, KINDS[kind] ?? "", own || /is:background/.test(filter) ? "" : "-is:background"].filter(Boolean).join(" ");
  }

  begin() {
    const { filter, own, kind } = state();
    if (this.box.input.value.trim() !== filter) this.box.set(filter);
    this.box.good = filter;
    this.own.textContent = own ? "browsers’ own" : "+ browsers’ own";
    this.now.textContent = [filter, kind].filter(Boolean).join(", ") || "everything";
    for (const chip of this.chips.querySelectorAll("[data-kind]")) chip.setAttribute("aria-pressed", String(chip.dataset.kind === kind));
    this.own.setAttribute("aria-pressed", String(own));
    this.shown = this.asked;
    this.stop();
    this.rows.clear();
    this.begun.clear();
    this.list.selected = state().exchange;
    this.list.unseen = 0;
    this.gap = "";
    this.first();
  }

  update() {
    if (this.asked !== this.shown) this.begin();
    else if (state().exchange && this.list.selected !== state().exchange) this.list.choose(this.byId(state().exchange));
  }

  byId(id) {
    const at = this.rows.index(id);
    return at < 0 ? null : this.rows.entries[at].row;
  }

  async first() {
    const asked = this.asked;
    await this.load(null);
    if (asked !== this.asked || this.closed) return;
    if (this.list.selected) this.list.reveal(this.rows.index(this.list.selected));
    this.events = new Events({ filter: asked, after: this.rows.newest || 0 }, {
      connection: (how) => this.tells.connected(how),
      hello: (data) => this.tells.counted(data),
      exchanges: (rows) => this.arrived(rows),
      begun: (some) => this.underWay(some),
      sessions: (data) => this.tells.counted(data),
      gap: ({ missed }) => this.missed(missed),
    });
  }

  arrived(rows) {
    for (const row of rows) {
      this.list.clients.add(row.client.host);
      for (const [key, one] of this.begun) {
        if (one.session === row.session && (one.begun === row.begun || one.started <= row.started)) this.begun.delete(key);
      }
    }
    this.list.grown(this.rows.arrived(rows));
    this.tells.counted({ arrived: rows.length });
    this.drawBegun();
    this.drawNote();
  }

  underWay(some) {
    for (const one of some) {
      this.begun.set(one.begun, one);
      if (this.begun.size > 50) this.begun.delete(this.begun.keys().next().value);
    }
    this.beat ??= setInterval(() => this.drawBegun(), 500);
    this.drawBegun();
  }

  drawBegun() {
    const now = Date.now() / 1000;
    const waiting = [...this.begun.values()].filter((one) => now - one.started > 0.4).slice(-6);
    if (!this.begun.size) {
      clearInterval(this.beat);
      this.beat = null;
    }
    show(this.wayside, waiting.map((one) => {
      const { colour, symbol } = family(one);
      return h("div", {}, h("span", { class: colour }, icon(symbol, one.service)), h("span", { class: "mono" }, h("b", {}, one.verb), ` ${one.asked}`),
        h("span", { class: "soft" }, `under way for ${duration(now - one.started)}`));
    }));
  }

  /** This page was too slow for the stream, or the sandbox had too much to tell: the list begins anew from the journal. */
  missed(number) {
    this.gap = `${number.toLocaleString()} came while this page did not look; here is the journal from its end.`;
    const { newest } = this.rows;
    this.rows.clear();
    this.rows.newest = newest;
    this.load(null);
  }

  async more() {
    if (this.loading || this.rows.oldest === null) return;
    await this.load(this.rows.oldest);
  }

  async load(before) {
    this.asking?.abort();
    const { signal } = (this.asking = new AbortController());
    this.loading = true;
    this.drawNote();
    try {
      const answer = await ask("exchanges", { query: { filter: this.asked, limit: AT_ONCE, before }, signal });
      for (const row of answer.exchanges) this.list.clients.add(row.client.host);
      const gone = this.rows.older(answer.exchanges, answer.next);
      if (gone) this.list.shift(-gone);
      this.searched = answer.complete ? null : answer.searched;
      this.problem = null;
      if (!answer.complete && answer.exchanges.length < AT_ONCE && answer.next !== null) {
        this.loading = false;
        this.list.redraw();
        await this.load(answer.next);      // nothing found in this slice is not nothing found
        return;
      }
    } catch (error) {
      if (error.name === "AbortError") return;
      this.problem = error;
    }
    this.loading = false;
    this.list.redraw();
    this.drawNote();
  }

  drawNote() {
    const { entries } = this.rows;
    const { filter, kind } = state();
    if (this.problem) {
      show(this.list.note, h("span", { class: "bad" }, this.problem.message, " ", this.problem.hint));
    } else if (this.loading && filter) {
      show(this.list.note, h("span", {}, "filtering …"), h("progress", { "aria-label": "filtering", max: "1", value: this.searched || null }),
        this.searched ? h("span", {}, `${Math.round(this.searched * 100)} % of the journal looked at`) : "");
    } else {
      show(this.list.note, this.gap ? h("span", {}, this.gap) : "", h("span", {}, entries.length
        ? (this.rows.oldest === null ? "That is all there is." : "Scroll for older ones.")
        : filter || kind ? "Nothing that fits, in the whole journal. What comes and fits appears here." : ""));
    }
    this.invite(!entries.length && !this.loading && !filter && !kind && !this.problem);
  }

  async invite(wanted) {
    if (!wanted || this.invitation) {
      if (!wanted) { this.invitation?.remove(); this.invitation = null; }
      return;
    }
    this.invitation = h("div", { class: "empty" }, h("h2", {}, "Nothing yet. Try this:"));
    this.list.holder.before(this.invitation);
    const { services } = await ask("services").catch(() => ({ services: [] }));
    const first = services.find((one) => one.name === "http") ?? services[0];
    if (first && this.invitation) {
      this.invitation.append(command(first.try), h("p", { class: "soft" }, "Each question and each answer then appears here, the moment it happens, with a sentence that says what it means. ",
        h("a", { href: "/setup" }, "Point a browser at it"), " or see ", h("a", { href: "/services" }, "everything that answers"), "."));
    }
  }

  stop() {
    this.events?.close();
    this.asking?.abort();
    clearInterval(this.beat);
    this.beat = null;
  }

  close() {
    this.closed = true;
    this.stop();
    this.list.close();
  }
}
