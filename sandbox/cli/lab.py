"""Do labs on a running sandbox, or check the files of one."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.cli.options import add_data
from sandbox.cli.remote import remote
from sandbox.console.escape import escape
from sandbox.console.terminal import tolerate
from sandbox.errors import UserError

__all__ = ["add", "run"]

WIDTH = 88
NOT_YET = 1
"""Exit status."""
MARKS = {"passed": "[x]", "not yet": "[ ]", "blocked": "[-]", "": "[ ]"}


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    every = actions.add_parser("list", help="list the labs there are, with your progress")
    showing = actions.add_parser("show", help="show what to do in a lab")
    starting = actions.add_parser("start", help="begin a lab")
    answering = actions.add_parser("answer", help="answer a question of a lab")
    hinting = actions.add_parser("hint", help="take one more hint for the step you are at")
    checking = actions.add_parser("check", help="say what of a lab is passed, or check a lab's files")
    for one in (showing, starting, answering, hinting):
        one.add_argument("lab", metavar="LAB", help="its name")
    answering.add_argument("question", metavar="STEP.QUESTION", help="as `sandbox lab show` names it")
    answering.add_argument("answer", metavar="ANSWER", help="a word of those to choose from, or your own")
    checking.add_argument("lab", metavar="LAB|FILE", help="its name, or its folder or lab.toml")
    for one in (every, showing, starting, answering, hinting, checking):
        add_data(one)
        one.add_argument("--url", default="", metavar="URL", help="the live page's address, instead of a data folder")
        one.add_argument("--token", default="", metavar="TOKEN",
                         help="with --url: the teacher's token, needed from elsewhere")
        one.add_argument("--learner", default="", metavar="NAME", help="who you are; said once, it is remembered")
        one.add_argument("--json", action="store_true", help="print JSON")
    starting.add_argument("--account", default="", metavar="LOGIN",
                          help="your account, where several learners share an address")
    starting.add_argument("--space", default="", metavar="SPACE", help="your space, where everybody has one")
    starting.add_argument("--again", action="store_true", help="forget what you did of it, and begin anew")
    every.set_defaults(do=list_labs)
    showing.set_defaults(do=show)
    starting.set_defaults(do=start)
    answering.set_defaults(do=answer)
    hinting.set_defaults(do=hint)
    checking.set_defaults(do=check)


def run(args: argparse.Namespace) -> int:
    """Exit status 0; 1 when a lab that was checked is not passed yet. Raises UserError."""
    tolerate(sys.stdout)
    status: int = args.do(args)
    return status


def list_labs(args: argparse.Namespace) -> int:
    with remote(args) as api:
        found = api.get("labs", learner=args.learner)
    if args.json:
        print(json.dumps(found))
        return 0
    for lab in found["labs"]:
        progress = f"{lab['passed']} of {lab['steps']}" if lab["begun"] else "not begun"
        print(f"{lab['name']:<18} {escape(lab['title']):<44} {lab['minutes']:>3} min  {progress}")
    for name, reason in found["wrong"].items():
        print(f"{escape(name)} cannot be used: {reason}", file=sys.stderr)
    return 0


def show(args: argparse.Namespace) -> int:
    with remote(args) as api:
        return tell(args, api.get(f"labs/{args.lab}", learner=args.learner), whole=True)


def start(args: argparse.Namespace) -> int:
    asked = {"learner": args.learner, "account": args.account, "space": args.space, "again": args.again}
    with remote(args) as api:
        return tell(args, api.post(f"labs/{args.lab}/start", asked), whole=True)


def answer(args: argparse.Namespace) -> int:
    step, _, question = args.question.partition(".")
    asked = {"step": step, "question": question, "answer": args.answer, "learner": args.learner}
    with remote(args) as api:
        found = api.post(f"labs/{args.lab}/answers", asked)
    if args.json:
        print(json.dumps(found))
        return 0
    paragraph(next(one["result"]["reason"] for each in found["steps"] if each["id"] == step
                   for one in each["questions"] if one["id"] == question))
    return 0


def hint(args: argparse.Namespace) -> int:
    with remote(args) as api:
        step = api.get(f"labs/{args.lab}", learner=args.learner)["current"]
        if not step:
            raise UserError(f"{args.lab} is not begun, or all of it is done: there is nothing to hint at")
        found = api.post(f"labs/{args.lab}/hints", {"step": step, "learner": args.learner})
    if args.json:
        print(json.dumps(found))
        return 0
    hints = next(each["hints"] for each in found["steps"] if each["id"] == step)
    blocks(hints[-1] if hints else [{"kind": "text", "text": "There is no hint for this step."}])
    return 0


def check(args: argparse.Namespace) -> int:
    path = Path(args.lab)
    if path.name == "lab.toml" or "/" in args.lab or path.is_dir():
        return check_file(path)
    with remote(args) as api:
        found = api.get(f"labs/{args.lab}", learner=args.learner)
    tell(args, found, whole=False)
    return 0 if found["lab"]["passed"] == found["lab"]["steps"] else NOT_YET


def check_file(path: Path) -> int:
    from sandbox.labs import load

    lab = load(path)
    checks = sum(1 for _ in lab.checks)
    print(f"{path} is right: {len(lab.steps)} steps, {checks} checks, "
          f"{sum(len(step.questions) for step in lab.steps)} questions.")
    return 0


def tell(args: argparse.Namespace, found: Mapping[str, Any], *, whole: bool) -> int:
    """whole: with what to do, else what is passed alone."""
    if args.json:
        print(json.dumps(found))
        return 0
    lab, learner = found["lab"], found["learner"]
    by = f" ({escape(learner['name'])})" if learner else ""
    print(f"{escape(lab['title'])}, {lab['passed']} of {lab['steps']} steps{by}")
    if whole:
        blocks(lab["about"])
    for step in found["steps"]:
        print(f"\n{MARKS[step['status']]} {escape(step['title'])}")
        if whole:
            blocks(step["todo"])
            for question in step["questions"]:
                print(f"\n    [{step['id']}.{question['id']}]{' Predict first.' if question['predict'] else ''}")
                blocks(question["text"])
                for name, text in question["choices"]:
                    print(f"    - {escape(name)}: {escape(text)}")
            blocks(step["shown"])
        if step["reason"]:
            paragraph(step["reason"])
        if not whole:
            evidence = sorted({number for one in step["checks"] for number in one["evidence"]})
            if evidence:
                paragraph(f"Exchanges that count: {', '.join(map(str, evidence))}.")
    if not lab["begun"]:
        print(f"\nBegin: sandbox lab start {lab['name']} --learner NAME")
    return 0


def blocks(some: list[Mapping[str, str]]) -> None:
    for block in some:
        if block["kind"] == "command":
            print()
            for line in block["text"].split("\n"):
                print(f"        {escape(line)}")
            print()
        else:
            paragraph(block["text"])


def paragraph(text: str) -> None:
    print(textwrap.fill(escape(text), WIDTH, initial_indent="    ", subsequent_indent="    "))
