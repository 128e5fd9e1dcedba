"""Who a request is for: the server's address, the key that only it gets, and redirects, which must stay with it."""

import os
from importlib.util import find_spec
from urllib.parse import SplitResult, urljoin, urlsplit

from holdfast.errors import UserError

PATHS = {"chat": "/chat/completions", "completions": "/completions", "messages": "/messages"}
"""Paths of the endpoints: OpenAI's two, and Anthropic's."""

_SHORTEST = 8
"""Characters of the shortest key that is kept secret; servers without keys are given words such as EMPTY."""

_OPENAI, _ANTHROPIC = "https://api.openai.com/v1", "https://api.anthropic.com/v1"


def server_address(endpoint: str, base_url: str | None) -> str:
    """Return the base URL for requests: `base_url`, or else the vendor's own server."""
    return (base_url or (_ANTHROPIC if endpoint == "messages" else _OPENAI)).rstrip("/")


def key_name(endpoint: str) -> str:
    """Return the name of the environment variable that holds the API key."""
    return "ANTHROPIC_API_KEY" if endpoint == "messages" else "OPENAI_API_KEY"


def key_of(endpoint: str) -> str:
    """Return the API key, or "" if there is none; raise UserError if it can't be sent in a header."""
    name = key_name(endpoint)
    key = os.environ.get(name, "").strip()
    if not key.isascii() or not (key + "x").isprintable():
        raise UserError(f"{name} is not a key: it contains control characters or letters beyond ASCII")
    return key


def check_access(endpoint: str, base_url: str | None) -> None:
    """Raise UserError if aiohttp or the key is missing, or the address is invalid or contains a secret."""
    if find_spec("aiohttp") is None:
        raise UserError("the api backend needs aiohttp: pip install 'holdfast-eval[api]'")
    key = key_name(endpoint)
    if base_url is None:
        if not key_of(endpoint):
            raise UserError(
                f"set {key} to use {server_address(endpoint, None)}, or name another server with base_url=... in "
                "--model_args"
            )
        return
    try:
        parts = urlsplit(str(base_url))
        _port(parts)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError("--model_args: base_url must be a URL, as in http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query or parts.fragment or mask_keys(base_url) != base_url:
        raise UserError(
            f"--model_args: base_url must not contain a secret, because runs store it: put the secret in {key}"
        )


def mask_keys(text: str) -> str:
    """Return a text with the API keys in the environment replaced: a server may repeat the one that it got."""
    for key in {os.environ.get(key_name(endpoint), "").strip() for endpoint in PATHS}:
        if len(key) >= _SHORTEST:
            text = text.replace(key, "***")
    return text


def redirected(url: str, location: str) -> str:
    """Return where a redirect leads, if it is to the same server, which may have the key and the prompts.

    Raises:
        UserError: If it leads anywhere else; it names both.
    """
    here = urlsplit(url)
    try:
        target = urljoin(url, location)
        there = urlsplit(target)
        same = (there.scheme, there.hostname, _port(there)) == (here.scheme, here.hostname, _port(here))
        same = same and not there.username
    except ValueError:
        same, target = False, location
    if not location or not same:
        asked, found = f"{here.scheme}://{here.netloc}", mask_keys(target) if location else "nowhere"
        raise UserError(
            f"{asked} redirects to {found[:200]}: not followed, so that the key and the prompts stay with the server "
            "that you named; if that is right, name it with base_url=... in --model_args"
        )
    return target


def _port(parts: SplitResult) -> int | None:
    return parts.port or {"http": 80, "https": 443}.get(parts.scheme)
