"""A shop where one signs up with an address, which a letter confirms."""

from __future__ import annotations

import secrets
import smtplib
from email.message import EmailMessage

from flask import Flask, abort, request


def create_app(**settings: object) -> Flask:
    app = Flask(__name__)
    app.config.from_mapping(settings)
    waiting: dict[str, str] = {}
    members: set[str] = set()

    @app.post("/signup")
    def signup() -> str:
        token = secrets.token_urlsafe(8)
        waiting[token] = request.form["email"]
        letter = EmailMessage()
        letter["From"], letter["To"] = "shop@example.com", request.form["email"]
        letter["Subject"] = "Confirm your address"
        letter.set_content(f"Welcome! Please confirm:\n{request.url_root}confirm?token={token}\n")
        with smtplib.SMTP(app.config["MAIL_SERVER"], app.config["MAIL_PORT"]) as server:
            server.send_message(letter)
        return "Look into your mail."

    @app.get("/confirm")
    def confirm() -> str:
        address = waiting.pop(request.args["token"], None) or abort(404)
        members.add(address)
        return f"{address} is a member."

    return app
