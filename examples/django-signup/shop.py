"""The shop in Django: one file with settings, addresses and views. Members pay a fee at a service elsewhere."""

from __future__ import annotations

import os
import urllib.error
import urllib.request

from django.conf import settings
from django.core.mail import send_mail
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from django.urls import path

if not settings.configured:
    settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="for tests only", ALLOWED_HOSTS=["*"], USE_TZ=True)


def signup(request: HttpRequest) -> HttpResponse:
    address = request.POST["email"]
    link = request.build_absolute_uri(f"/confirm?who={Signer().sign(address)}")
    send_mail("Confirm your address", f"Welcome! Please confirm:\n{link}\n", "shop@example.com", [address])
    return HttpResponse("Look into your mail.")


def confirm(request: HttpRequest) -> HttpResponse:
    try:
        address = Signer().unsign(request.GET["who"])
    except BadSignature:
        return HttpResponse("That is no link of ours.", status=404)
    return HttpResponse(f"{address} is a member{'' if paid(address) else ', and may pay later'}.")


def paid(address: str) -> bool:
    """Whether the payment service takes the fee; a moment of weakness is forgiven once."""
    pay = urllib.request.build_opener(urllib.request.ProxyHandler({"http": os.environ["http_proxy"]}))
    for _ in range(2):
        try:
            with pay.open(f"http://pay.test/fee?from={address}", timeout=5) as answer:
                return answer.status == 200
        except urllib.error.HTTPError:
            continue
    return False


urlpatterns = [path("signup", signup), path("confirm", confirm)]
