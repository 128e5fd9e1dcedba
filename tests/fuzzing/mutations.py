"""Ways to break a file: in its bytes, or in the values of its JSON."""

import json
from random import Random
from typing import Any

PIECES = (
    *(
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\0",
        b"\xff",
        b"\n",
        b"null",
        b"NaN",
        b"-1",
        b"1e999",
        b"\xef\xbb\xbf",
    ),
    *(b"!!", b"&a ", b"*a ", b"0x_", b"2024-99-99", b"~", b"? ", b"<<: ", b"- ", b"{{ ", b" }}", b"{% ", b"\\u0000"),
    *(b"\\ud800", b"\x1b[31m", b"\xc2\x85", b"\xe2\x80\xae", b"\xf0\x9f\x91\xa9", b"(" * 30, b"[" * 3000),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 2**70, 10**400, float("nan"), float("inf"), "", " ", "a", "a\0b", "\ud800", "~x"),
    *("x" * 5000, "../..", "/dev/zero", "(.*.*.*.*)*x", "([", "{{ x", "typos", "0.5", [], [None], [[1]], {}, {"a": 1}),
    *([0, "a"], {"": None}, "1" * 5000, "\x1b[2J", [True, 2], ["a", "b"]),
)


def mutate(content: bytes, random: Random) -> bytes:
    """Return the content, broken in one to three places."""
    if random.random() < 0.5 and (changed := _mutate_values(content, random)) is not None:
        return changed
    found = bytearray(content)
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(found) + 1)
        how = random.random()
        if how < 0.2 and at < len(found):
            found[at] = random.randrange(256)
        elif how < 0.4:
            del found[at : at + random.randrange(1, 20)]
        elif how < 0.5:
            del found[at:]
        elif how < 0.8:
            found[at:at] = random.choice(PIECES)
        else:
            other = random.randrange(len(found) + 1)
            found[at:at] = found[other : other + random.randrange(1, 60)]
    return bytes(found)


def _mutate_values(content: bytes, random: Random) -> bytes | None:
    """Return JSON, JSON lines or flat YAML with one value replaced or left out; None if the content is neither."""
    try:
        if b"\n" not in content.strip():
            return json.dumps(_replace(json.loads(content), random)).encode()
        lines = content.splitlines()
        at = random.randrange(len(lines))
        if lines[at].startswith(b"{"):
            lines[at] = json.dumps(_replace(json.loads(lines[at]), random)).encode()
        elif b": " in lines[at]:
            lines[at] = lines[at].partition(b": ")[0] + b": " + json.dumps(random.choice(VALUES)).encode()
        else:
            return None
        return b"\n".join(lines) + b"\n"
    except ValueError:
        return None


def _replace(value: Any, random: Random) -> Any:
    if random.random() < 0.25 or not isinstance(value, (dict, list)) or not value:
        return random.choice(VALUES)
    changed: Any = value.copy()
    at = random.choice(list(changed)) if isinstance(changed, dict) else random.randrange(len(changed))
    if random.random() < 0.15:
        del changed[at]
    elif isinstance(changed, dict) and random.random() < 0.1:
        changed[random.choice(("id", "name", "x", "schema_version"))] = random.choice(VALUES)
    else:
        changed[at] = _replace(changed[at], random)
    return changed
