"""How many 204-character prompts each perturbation changes per CPU-second, beside recorded figures of peers.

python benchmarks/perturbation_speed.py
"""

import time
from collections.abc import Callable
from functools import partial
from random import Random

from holdfast.perturbations import make_variant, perturbations

PROMPT = (
    "Summarise the big meeting between Alice and Robert about the new harbour, where they chose to buy an old ship "
    "for the city; mention who found the money, when the work begins, and why so many agreed on it."
)
WITH_NUMBERS = PROMPT.replace("the money", "$4.5 million").replace("an old ship", 'the "Ada"')
HINDI = (("भारत की सबसे प्रसिद्ध किताब कौन सी है, और उसे किसने लिखा था? कृपया बताइए। ") * 4)[:204]
STRENGTH = 0.05

# Recorded once, on such prompts, with the peers installed (prompts per CPU-second); not measured by this script.
PEERS = {
    "typos": "11,000 NL-Augmenter (keyboard)",
    "char_deletion": "8,600 nlpaug",
    "word_deletion": "87,000",
    "synonyms": "6,200",
    "spacing": "43,000 AugLy",
    "confusables": "32,000",
}


def main() -> None:
    print(f"{'perturbation':<15}{'English':>10}{'protected':>11}{'Hindi':>10}   peer, recorded figure")
    for name in perturbations.names():
        apply = perturbations.get(name).apply
        speeds = [rate(partial(apply, text, STRENGTH)) for text in (PROMPT, WITH_NUMBERS, HINDI)]
        columns = "".join(f"{speed:>{width},.0f}" for speed, width in zip(speeds, (10, 11, 10), strict=True))
        print(f"{name:<15}{columns}   {PEERS.get(name, '')}")
    print(f"{'make_variant':<15}{rate(variant):>10,.0f}   (typos, with its seed and edit rate)")


def variant(rng: Random) -> object:
    return make_variant(
        PROMPT, task="speed", sample_id=str(rng.random()), perturbation="typos", severity="0.05", repeat=0, seed=0
    )


def rate(call: Callable[[Random], object], count: int = 2_000) -> float:
    """Calls per CPU-second: the best of five rounds, tables loaded beforehand."""
    rng, best = Random(0), float("inf")
    call(rng)
    for _ in range(5):
        start = time.process_time()
        for _ in range(count):
            call(rng)
        best = min(best, time.process_time() - start)
    return count / best


if __name__ == "__main__":
    main()
