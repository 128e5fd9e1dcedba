"""Make labelled pairs of word order from the sentences of a similarity set: two content words exchanged, or reworded.

python benchmarks/order_pairs.py SIMILARITY_FILE LANGUAGE OUT [--most 150]

Changed pairs are a sentence, and the same sentence (or one rated almost the same) with two words exchanged; unchanged
ones are pairs rated 4.6 or more. Always the same pairs for the same file. For `holdfast calibrate
--fit`, since there is no such set beside the repository.
"""

import argparse
import json
from pathlib import Path
from random import Random

from holdfast.metrics.facts import words_of


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("similarity", type=Path, help="JSONL with a, b and similarity")
    arguments.add_argument("language")
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--most", type=int, default=150, help="pairs of either class")
    args = arguments.parse_args()
    rows = [json.loads(line) for line in args.similarity.read_text("utf-8").splitlines()]
    random = Random(5)
    random.shuffle(rows)
    alike = [row for row in rows if row["similarity"] >= 4.6 and row["a"] != row["b"] and len(row["a"].split()) > 7]
    pairs = [(row["a"], row["b"], False) for row in alike[: args.most]]
    for row in alike[args.most :] + [row for row in rows if 4.2 <= row["similarity"] < 4.6]:
        text = exchanged(row["b"] if len(pairs) % 2 else row["a"], args.language, random)
        if text and len(pairs) < 2 * args.most:
            pairs.append((row["a"], text, True))
    lines = [json.dumps({"a": a, "b": b, "changed": changed}, ensure_ascii=False) for a, b, changed in pairs]
    args.out.write_text("\n".join(lines) + "\n", "utf-8")


def exchanged(text: str, language: str, random: Random) -> str:
    """Return a text with two content words exchanged, both capitalised or both not; "" if it has no such two."""
    words = [w for w in words_of(text, language) if w.weight > 0.42 and len(w.form) > 3 and not w.form[0].isdigit()]
    choices = [
        (one, other)
        for i, one in enumerate(words)
        for other in words[i + 1 :]
        if one.form[0].isupper() == other.form[0].isupper()
        and one.key != other.key
        and other.start - one.end > 3
        and one.start
    ]
    if not choices:
        return ""
    one, other = random.choice(choices)
    return f"{text[: one.start]}{other.form}{text[one.end : other.start]}{one.form}{text[other.end :]}"


if __name__ == "__main__":
    main()
