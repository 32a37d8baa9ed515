"""Media types by file name (RFC 9110 §8.3.1), the same on every machine: the system's own tables are not read."""

from __future__ import annotations

__all__ = ["media_type"]

TYPES = {
    # text
    "css": "text/css", "csv": "text/csv", "htm": "text/html", "html": "text/html", "ics": "text/calendar",
    "js": "text/javascript", "log": "text/plain", "md": "text/markdown", "mjs": "text/javascript",
    "py": "text/plain", "text": "text/plain", "toml": "text/plain", "tsv": "text/tab-separated-values",
    "txt": "text/plain", "vcf": "text/vcard", "vtt": "text/vtt", "xml": "text/xml", "yaml": "application/yaml",
    "yml": "application/yaml",
    # images
    "apng": "image/apng", "avif": "image/avif", "bmp": "image/bmp", "gif": "image/gif", "ico": "image/x-icon",
    "jpeg": "image/jpeg", "jpg": "image/jpeg", "png": "image/png", "svg": "image/svg+xml", "tif": "image/tiff",
    "tiff": "image/tiff", "webp": "image/webp",
    # sound and film
    "aac": "audio/aac", "flac": "audio/flac", "m4a": "audio/mp4", "mid": "audio/midi", "mp3": "audio/mpeg",
    "mp4": "video/mp4", "mpeg": "video/mpeg", "mpg": "video/mpeg", "mov": "video/quicktime", "oga": "audio/ogg",
    "ogg": "audio/ogg", "ogv": "video/ogg", "opus": "audio/ogg", "wav": "audio/wav", "weba": "audio/webm",
    "webm": "video/webm",
    # letters
    "otf": "font/otf", "ttf": "font/ttf", "woff": "font/woff", "woff2": "font/woff2",
    # documents, archives, data
    "7z": "application/x-7z-compressed", "atom": "application/atom+xml", "bz2": "application/x-bzip2",
    "crl": "application/pkix-crl", "crt": "application/x-x509-ca-cert", "der": "application/x-x509-ca-cert",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "eml": "message/rfc822", "epub": "application/epub+zip", "gz": "application/gzip",
    "jar": "application/java-archive",
    "json": "application/json", "jsonl": "application/jsonl", "map": "application/json",
    "mobileconfig": "application/x-apple-aspen-config", "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet", "pac": "application/x-ns-proxy-autoconfig",
    "pdf": "application/pdf", "pem": "application/x-pem-file", "ps": "application/postscript",
    "rss": "application/rss+xml", "rtf": "application/rtf", "sh": "text/x-shellscript",
    "sqlite": "application/vnd.sqlite3", "tar": "application/x-tar", "tgz": "application/gzip",
    "wasm": "application/wasm", "webmanifest": "application/manifest+json",
    "xhtml": "application/xhtml+xml", "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xz": "application/x-xz",
    "zip": "application/zip", "zst": "application/zstd",
}


def media_type(name: str) -> str:
    """The Content-Type for a file of that name; text is said to be UTF-8, as everything the sandbox writes is."""
    _, dot, extension = name.rpartition(".")
    found = TYPES.get(extension.lower(), "application/octet-stream") if dot else "application/octet-stream"
    return f"{found}; charset=utf-8" if found.startswith("text/") else found
