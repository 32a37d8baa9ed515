// Labs: exercises that check themselves. The step to do stands beside what was done; what counts is marked in it.

import { ask } from "../api.js";
import { command, h, icon, say, show } from "../dom.js";
import { Events } from "../events.js";
import { target } from "../format.js";
import { address, remembered, state } from "../state.js";
import { failed, page } from "./view.js";

const SOON = 250;      // milliseconds from an exchange to the next look, so that many of them cost one
const LISTED = 25;
const SYMBOLS = { passed: "good", "not yet": "waiting", blocked: "more", "": "waiting" };

export class View {
  constructor(main) {
    this.main = main;
    this.learner = remembered.get("learner", "");
    this.said = h("div", { "aria-live": "polite" });
    this.events = new Events({ filter: "-is:background" }, { exchanges: () => this.soon() });
    this.update();
  }

  update() {
    const [name = ""] = state().path;
    if (this.name !== name || !this.body) {
      this.name = name;
      this.drawn = "";
      this.body = page(this.main, "Labs", name ? "" : "Exercises with real programs. What you do is checked by what really crossed the wire, as you do it.");
    }
    this.look();
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), SOON);
  }

  async look() {
    this.asking?.abort();
    const { signal } = (this.asking = new AbortController());
    const query = { learner: this.learner };
    try {
      if (!this.name) {
        this.draw(await ask("labs", { query, signal }), [], () => this.list);
        return;
      }
      const [lab, { exchanges }] = await Promise.all([ask(`labs/${encodeURIComponent(this.name)}`, { query, signal }),
        ask("exchanges", { query: { filter: "-is:background", limit: LISTED }, signal })]);
      this.draw(lab, exchanges, () => this.one);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error.status === 404 && this.learner) {      // a name of another sandbox, or of before it was cleared
        this.learner = "";
        this.look();
        return;
      }
      show(this.body, failed(error));
    }
  }

  /** Draw anew where anything has changed, and leave alone what is being written. */
  draw(found, exchanges, how) {
    const drawn = JSON.stringify([found, exchanges.map((row) => row.id), state().path[1], state().exchange]);
    if (drawn === this.drawn) return;
    this.tell(found);
    this.drawn = drawn;
    this.found = found;
    const written = [...this.body.querySelectorAll("input[id]")].map((one) => [one.id, one.type === "radio" ? one.checked : one.value]);
    const focus = document.activeElement?.id;
    show(this.body, how().call(this, found, exchanges));
    for (const [id, value] of written) {
      const input = document.getElementById(id);
      if (input) input[input.type === "radio" ? "checked" : "value"] = value;
    }
    if (focus) document.getElementById(focus)?.focus();
  }

  /** Say what was passed since the last look. */
  tell(found) {
    const before = this.found?.lab?.name === found.lab?.name ? this.found?.steps : null;
    for (const step of before ? found.steps : []) {
      const was = before.find((one) => one.id === step.id);
      if (step.status === "passed" && was?.status !== "passed" && was?.status) say(`Passed: ${step.title}`);
    }
  }

  list({ learner, labs, wrong }) {
    return [who(learner), h("div", { class: "services" }, labs.map((lab) => h("a", { class: "card lab-card", href: `/labs/${lab.name}` },
      h("h2", {}, lab.title), lab.about.map(block), progress(lab), h("p", { class: "small soft" }, `${lab.minutes} minutes`,
        lab.programs.length ? `, with ${lab.programs.join(", ")}` : ""),
      lab.missing.length ? h("p", { class: "small warning" }, `Needs ${lab.missing.join(", ")}, which this sandbox does not run.`) : ""))),
    Object.entries(wrong).map(([name, reason]) => h("div", { class: "problem" }, h("p", {}, `The lab ${name} cannot be used.`), h("pre", {}, reason)))];
  }

  one({ learner, lab, steps, current }, exchanges) {
    const chosen = steps.find((one) => one.id === state().path[1]) ?? steps.find((one) => one.id === current) ?? steps.at(lab.begun ? -1 : 0);
    return [h("p", { class: "crumbs" }, h("a", { href: "/labs" }, "All labs")), h("h2", {}, lab.title), lab.about.map(block),
      lab.begun ? progress(lab) : this.beginning(learner),
      lab.missing.length ? h("div", { class: "problem" }, `This lab needs ${lab.missing.join(", ")}, which this sandbox does not run.`) : "",
      this.said,
      lab.begun && !current ? h("p", { class: "lab-done good" }, icon("good"), " All of it is done.") : "",
      h("div", { class: "lab" }, h("nav", { class: "folders", "aria-label": "Steps" }, steps.map((step) => h("a", {
        class: `folder lab-step ${step.status.replace(" ", "-")}`, href: `/labs/${lab.name}/${step.id}`, "aria-current": step === chosen ? "page" : null },
      icon(SYMBOLS[step.status], step.status), " ", step.title))), this.step(lab, chosen), lab.begun ? done(chosen, exchanges) : "")];
  }

  beginning(learner) {
    const name = h("input", { id: "lab-learner", maxlength: "60", value: learner?.name ?? this.learner, autocomplete: "nickname", required: true });
    return h("form", { class: "inline card", onsubmit: (event) => {
      event.preventDefault();
      this.send("start", { learner: name.value }, () => {
        this.learner = name.value.trim();
        remembered.set("learner", this.learner);
      });
    } }, h("label", { for: "lab-learner" }, "Your name"), name, h("button", { class: "primary", type: "submit" }, "Begin"),
    h("span", { class: "small soft" }, "From then on, what this device does counts for you."));
  }

  step(lab, step) {
    const before = step.questions.filter((one) => one.predict), after = step.questions.filter((one) => !one.predict);
    const questions = (some) => some.map((one) => this.question(lab, step, one));
    return h("article", { class: "grow lab-do" }, h("h3", {}, step.title), lab.begun ? questions(before) : "", step.todo.map(block), checks(step),
      lab.begun ? questions(after) : "", this.hints(lab, step), step.shown.length ? h("section", { class: "lab-shown" }, h("h4", {}, "What it showed"), step.shown.map(block)) : "",
      step.status === "passed" ? next(lab, this.found.steps, step) : "");
  }

  question(lab, step, one) {
    const id = `${step.id}.${one.id}`, { status = "open", given = "", reason = "" } = one.result ?? {};
    const text = h("input", { id: `answer-${id}`, value: given, maxlength: "200", autocomplete: "off", spellcheck: "false", "aria-label": "Your answer" });
    const choose = one.choices.map(([name, words]) => h("label", {}, h("input", { type: "radio", id: `answer-${id}-${name}`, name: `answer-${id}`, value: name, checked: given === name }), " ", words));
    return h("form", { class: `lab-question ${status}`, onsubmit: (event) => {
      event.preventDefault();
      const picked = one.choices.length ? new FormData(event.target).get(`answer-${id}`) : text.value;
      if (picked) this.send("answers", { step: step.id, question: one.id, answer: picked });
    } }, one.predict ? h("p", { class: "small soft" }, "Predict first") : "", one.text.map(block), choose.length ? h("div", { class: "choices" }, choose) : text,
    h("div", {}, h("button", { type: "submit" }, one.predict ? "Keep my guess" : "Answer"),
      given ? h("span", { class: `small ${{ right: "good", wrong: "warning" }[status] ?? "soft"}` }, " ", status === "right" ? icon("good") : "", ` ${reason}`) : ""));
  }

  hints(lab, step) {
    if (!lab.begun || (!step.hints.length && !step.more_hints)) return "";
    return h("section", { class: "lab-hints" }, step.hints.length ? h("h4", {}, "Hints") : "", h("ol", {}, step.hints.map((some) => h("li", {}, some.map(block)))),
      step.more_hints && step.status !== "passed" ? h("button", { type: "button", onclick: () => this.send("hints", { step: step.id }) }, step.hints.length ? "One more hint" : "A hint") : "");
  }

  async send(what, body, then) {
    show(this.said);
    try {
      const found = await ask(`labs/${encodeURIComponent(this.name)}/${what}`, { method: "POST", body: { learner: this.learner, ...body } });
      then?.();
      const { exchanges } = await ask("exchanges", { query: { filter: "-is:background", limit: LISTED } });
      this.draw(found, exchanges, () => this.one);
    } catch (error) {
      show(this.said, failed(error));
    }
  }

  close() {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.events.close();
  }
}

/** A paragraph, in which `code` stands between backticks, or a command. */
function block({ kind, text }) {
  if (kind === "command") return command(text);
  return h("p", {}, text.split("`").map((part, at) => (at % 2 ? h("code", {}, part) : part)));
}

const who = (learner) => learner ? h("p", { class: "soft" }, `You are ${learner.name}. Your word is `, h("code", {}, learner.word), ".") : "";

const progress = (lab) => h("p", { class: "lab-progress" }, h("progress", { max: String(lab.steps), value: String(lab.passed), "aria-label": "Steps passed" }),
  h("span", { class: "small soft" }, lab.begun ? ` ${lab.passed} of ${lab.steps} steps` : ` ${lab.steps} steps`));

function checks(step) {
  if (!step.checks.length || !step.status) return "";
  return h("ul", { class: "lab-checks" }, step.checks.map((one) => h("li", { class: one.status.replace(" ", "-") }, icon(SYMBOLS[one.status], one.status), " ",
    step.checks.length > 1 ? h("b", {}, `${one.name}: `) : "", one.status === "passed" ? "Counted: " : `${one.reason} `,
    (one.status === "passed" ? one.evidence : [one.near].filter(Boolean)).map((id) => [h("a", { href: address({ exchange: id }) }, `exchange ${id}`), " "]))));
}

function done(step, exchanges) {
  const counted = new Set(step.checks.flatMap((one) => one.evidence)), near = new Set(step.checks.map((one) => one.near));
  return h("section", { class: "lab-seen", "aria-label": "What happened" }, h("h3", {}, "What happened"),
    exchanges.length ? h("ul", {}, exchanges.map((row) => h("li", { class: counted.has(row.id) ? "counted" : near.has(row.id) ? "near" : "" },
      h("a", { class: "mono", href: address({ exchange: row.id }) }, counted.has(row.id) ? icon("good", "counted") : "", ` ${row.verb} ${target(row).join("")} → ${row.outcome}`),
      counted.has(row.id) ? h("span", { class: "small good" }, " counts") : near.has(row.id) ? h("span", { class: "small warning" }, " nearest so far") : "")))
      : h("p", { class: "soft" }, "Nothing yet. Do what stands here, and see it appear."));
}

function next(lab, steps, step) {
  const following = steps[steps.indexOf(step) + 1];
  return following ? h("p", {}, h("a", { class: "lab-next", href: `/labs/${lab.name}/${following.id}` }, `Next: ${following.title}`)) : "";
}
