"""Measure how many characters per CPU-second each perturbation processes, against other packages at the same rate.

python benchmarks/perturbations.py

English prompts of 200 characters and documents of 20,000; 5 % of the characters or words are changed. `cost` is the
time for a document in units of the time for a prompt (at most 120 means linear). `fastest package` is the fastest
package that can be imported, or a loop that works like NL-Augmenter's; `loop` is the leanest loop possible, with one
draw for every character or word. The factors say how many times as fast Holdfast is, including building the new text.
AugLy's insertions (spacing, punctuation, zero_width) are at fixed intervals: slices and one join, the least that any
insertion costs. Holdfast makes exactly the requested number of edits at random places, reports each with its
position, and doesn't touch numbers, quotations, code and the like.

The packages are not part of any extra: install them without their dependencies into a separate environment. TextAttack
reads NLTK's stop word list when it is imported.
"""

import signal
import time
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from statistics import median

from perturbation_peers import LOOPS, RATE, Peer, packages, seed_global_state

from holdfast.perturbations import perturbations

SENTENCES = (
    "Summarise the big meeting between Alice and Robert about the new harbour, where they chose to buy an old ship "
    "for the city; mention who found the money, when the work begins, and why so many agreed on it in the end. "
)
PROMPT = SENTENCES[:200]
LIMIT = 20
DOCUMENT = (SENTENCES * 100)[:20_000]
SEVERAL = 'Ask for 5 kg at $4.50, see https://a.org/x, and write "as is" for {name}. ' + PROMPT
HINDI = ("भारत की सबसे प्रसिद्ध किताब कौन सी है, और उसे किसने लिखा था? कृपया बताइए। " * 4)[:200]


def main() -> None:
    signal.signal(signal.SIGALRM, stop)
    peers, missing = packages()
    columns = (
        "perturbation",
        "200 M/s",
        "20k M/s",
        "cost",
        "fastest package",
        "x 200",
        "x 20k",
        "loop 200",
        "loop 20k",
    )
    print("{:<15}{:>8}{:>9}{:>6}  {:<26}{:>7}{:>7}{:>10}{:>10}".format(*columns))
    for name in perturbations.names():
        ours = [ours_on(name, text) for text in (PROMPT, DOCUMENT)]
        cost = 100 * ours[0] / ours[1]
        row = f"{name:<15}{ours[0] / 1e6:>8.1f}{ours[1] / 1e6:>9.1f}{cost:>6.0f}  "
        print(row + against_packages(ours, peers.get(name, {})) + against_loop(ours, LOOPS.get(name)), flush=True)
    for package, error in missing.items():
        print(f"\n{package} can't be measured here: {error}")
    heavy = perturbations.get("synonyms")
    prompts = speed(PROMPT, lambda rng: heavy.apply(PROMPT, heavy.heavy, rng).text) / len(PROMPT)
    print(f"\nsynonyms at their heavy strength, {heavy.heavy:.0%} of the words: {prompts:,.0f} prompts per CPU-second")
    others = {"with protected spans": SEVERAL, "Hindi": HINDI}
    print(f"\nmillion characters per CPU-second on other prompts{'':<4}" + "".join(f"{title:>22}" for title in others))
    for name in perturbations.names():
        speeds = [ours_on(name, text) / 1e6 for text in others.values()]
        print(f"  {name:<52}" + "".join(f"{value:>22.1f}" for value in speeds))


def against_packages(ours: list[float], peers: Mapping[str, Peer]) -> str:
    if not peers:
        return f"{'-':<26}{'':>7}{'':>7}"
    fastest = []
    for text in (PROMPT, DOCUMENT):
        fastest.append(max((speed(text, partial(peer, text)), package) for package, peer in peers.items()))
    names = " / ".join(dict.fromkeys(package for _, package in fastest))
    factors = [own / other for own, (other, _) in zip(ours, fastest, strict=True)]
    return f"{names:<26}{factors[0]:>7.1f}{factors[1]:>7.1f}"


def against_loop(ours: list[float], loop: Peer | None) -> str:
    if loop is None:
        return ""
    factors = [own / speed(text, partial(loop, text)) for own, text in zip(ours, (PROMPT, DOCUMENT), strict=True)]
    return f"{factors[0]:>10.1f}{factors[1]:>10.1f}"


def speed(text: str, call: Callable[[Random], object]) -> float:
    """Return characters per CPU-second: the median of five rounds of at least 40 ms, or one call if it takes over 1 s.

    A call that takes longer than `LIMIT` seconds is stopped and counted as that long.
    """
    seed_global_state()
    rng, count = Random(0), 1
    signal.alarm(LIMIT)
    try:
        if seconds(call, rng, 1) > 1:  # this call also loads tables
            return len(text) / seconds(call, rng, 1)
    except TimeoutError:
        return len(text) / LIMIT
    finally:
        signal.alarm(0)
    while seconds(call, rng, count) < 0.04:
        count *= 2
    return count * len(text) / median(seconds(call, rng, count) for _ in range(5))


def stop(*_: object) -> None:
    raise TimeoutError


def ours_on(name: str, text: str) -> float:
    """Return the speed of a perturbation of ours, including building the new text."""
    apply = perturbations.get(name).apply
    return speed(text, lambda rng: apply(text, RATE, rng).text)


def seconds(call: Callable[[Random], object], rng: Random, count: int) -> float:
    start = time.process_time()
    for _ in range(count):
        call(rng)
    return time.process_time() - start


if __name__ == "__main__":
    main()
