"""Measure how close the api backend comes to the ideal rate: 64 concurrent requests, 50 ms latency each.

    python benchmarks/api_speed.py [--requests 4000] [--concurrent 64] [--latency 0.05] [--repeats 5]

The server is a separate process on loopback that sleeps, then answers. The ideal rate is concurrent / latency. The same
requests through bare aiohttp, at the same concurrency, show how much of the gap is the backend's; through OpenAI's own
client, if it is installed, they show why the backend doesn't use it.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import Any

from holdfast.harness.backends import Request, Settings, backends
from holdfast.harness.backends.backend import BackendOptions

USAGE = {"prompt_tokens": 1, "completion_tokens": 4, "total_tokens": 5}
CHOICE = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Paris, I believe."}}
ANSWER = json.dumps(
    {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [CHOICE], "usage": USAGE}
).encode()
HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(ANSWER)}\r\n\r\n".encode()


async def serve(latency: float) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                )
                await reader.readexactly(length)
                await asyncio.sleep(latency)
                writer.write(HEAD + ANSWER)
                await writer.drain()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--requests", type=int, default=4000)
    arguments.add_argument("--concurrent", type=int, default=64)
    arguments.add_argument("--latency", type=float, default=0.05)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = arguments.parse_args()
    if args.serve:
        asyncio.run(serve(args.latency))
        return
    os.environ.setdefault("OPENAI_API_KEY", "none")
    command = [sys.executable, __file__, "--serve", "--latency", str(args.latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        try:
            measure(args, url)
        finally:
            server.terminate()


def measure(args: argparse.Namespace, url: str) -> None:
    model_args = {"model": "m", "base_url": url}
    entry = backends.get("api")
    _, adapters = entry.find(model_args, ["base"])
    backend = entry.build(BackendOptions(model_args, args.concurrent), adapters)
    requests = [Request(str(i), "base", f"Question {i}?", Settings()) for i in range(args.requests)]
    ideal = args.concurrent / args.latency
    clients = {"aiohttp": bare} | ({"openai": vendor} if find_spec("openai") else {})
    rates: dict[str, list[float]] = {name: [] for name in ("api", *clients)}
    for number in range(args.repeats + 1):
        for name in rates:
            start = time.perf_counter()
            if name == "api":
                assert sum(map(len, backend.generate(requests))) == len(requests)
            else:
                asyncio.run(clients[name](url, args.concurrent, len(requests)))
            if number:  # the first is a warm-up
                rates[name].append(len(requests) / (time.perf_counter() - start))
    print(
        f"{args.concurrent} concurrent requests, {args.latency * 1000:g} ms each: ideal {ideal:.0f}/s, "
        f"median of {args.repeats}"
    )
    for name, found in rates.items():
        rate = statistics.median(found)
        print(f"{name:>7} {rate:7.0f}/s  {rate / ideal:6.1%} of the ideal")


async def bare(url: str, concurrent: int, count: int) -> None:
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrent)) as session:

        async def ask(question: str) -> None:
            body = {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": question}]}
            async with session.post(f"{url}/chat/completions", json=body) as response:
                await response.json()

        await together(ask, concurrent, count)


async def vendor(url: str, concurrent: int, count: int) -> None:
    import openai

    async with openai.AsyncOpenAI(base_url=url, api_key="none") as client:

        async def ask(question: str) -> None:
            turns: Any = [{"role": "user", "content": question}]
            await client.chat.completions.create(model="m", messages=turns, max_tokens=64)

        await together(ask, concurrent, count)


async def together(ask: Callable[[str], Awaitable[None]], concurrent: int, count: int) -> None:
    numbers = iter(range(count))

    async def work() -> None:
        for i in numbers:
            await ask(f"Question {i}?")

    await asyncio.gather(*(work() for _ in range(concurrent)))


if __name__ == "__main__":
    main()
