"""A small picture in each of the web's usual formats: a bucket and a castle of sand."""

from __future__ import annotations

from sandbox.protocols.http.messages import Request, Response
from sandbox.websites import answers, page
from sandbox.websites.routes import Routes

TITLE = "Pictures"
INDEX = (
    ("/image", "/image", "in the format that your Accept field prefers"),
    ("/image/png", "/image/png", "PNG"),
    ("/image/jpeg", "/image/jpeg", "JPEG"),
    ("/image/webp", "/image/webp", "WebP"),
    ("/image/svg", "/image/svg", "SVG"),
)

IMAGES = {
    "png": ("image/png", page.asset("castle.png")),
    "jpeg": ("image/jpeg", page.asset("castle.jpeg")),
    "webp": ("image/webp", page.asset("castle.webp")),
    "svg": ("image/svg+xml", page.asset("castle.svg")),
}


def picture(name: str) -> Response:
    media_type, data = IMAGES[name]
    return answers.answer(data, media_type)


def image(request: Request) -> Response:
    """The first format, in httpbin's order, that the Accept field names."""
    accept = request.headers.get("accept").lower()
    for name in ("webp", "svg", "jpeg", "png"):
        if IMAGES[name][0] in accept:
            break
    else:
        if accept and "image/*" not in accept and "*/*" not in accept:
            return answers.json({"message": "Client did not request a supported media type.",
                                 "accept": [*(kind for kind, _ in IMAGES.values()), "image/*"]}, 406)
        name = "png"
    response = picture(name)
    response.headers.add("Vary", "Accept")
    return response


def register(routes: Routes) -> None:
    routes.add("/image", ("GET",), image)
    for name in IMAGES:
        routes.add(f"/image/{name}", ("GET",), lambda request, name=name: picture(name))
