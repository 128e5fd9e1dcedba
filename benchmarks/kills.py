"""Kill run, train, correct and perturb at random moments, start each again, and compare with an undisturbed one.

    python benchmarks/kills.py [--kills 30] [--seed 0]

Every command is killed with SIGKILL, which nothing can catch, and started again until it has finished. What it wrote
must equal what an undisturbed one wrote: the same answers, weights and variants, and no file beside them. Times, and
the order of answers, may differ.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

COMMANDS = {
    "run": "run --adapters base,pocket-steady --tasks factual_qa --perturbations typos,word_deletion --limit 6 "
    "--encoder lexical --output_path {out}",
    "train": "train --data {data} --objective augment --max_steps 12 --save_steps 3 --per_device_train_batch_size 4 "
    "--output_path {out}",
    "correct": "correct pocket-narrow --subspace {subspace} --strength 0.25,0.5,1,2,4 --output_path {out}",
    "perturb": "perturb --tasks factual_qa,dialogue_summary --perturbations typos,synonyms,word_deletion "
    "--output_path {out}",
}
Content = dict[str, str]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=30, help="in all (default: %(default)s)")
    arguments.add_argument("--seed", type=int, default=0)
    args = arguments.parse_args()
    dice = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        inputs = make_inputs(Path(folder))
        whole = {name: undisturbed(name, Path(folder), inputs) for name in COMMANDS}
        failures = kills = number = 0
        while kills < args.kills:
            name = [*COMMANDS][number % len(COMMANDS)]
            content, seconds = whole[name]
            out = Path(folder) / "killed" / f"{name}{number}"
            moments, status = kill_until_finished(command(name, out, inputs), seconds, dice)
            differing = compare(content, contents(name, out))
            if status and name != "perturb":  # which refuses a pack that is complete already
                differing.append(f"the last start failed with {status}")
            failures += bool(differing)
            if moments:
                shown = ", ".join(f"{each:.1f} s" for each in moments)
                print(f"{name:<8} killed after {shown} of {seconds:.0f}: {'; '.join(differing) or 'equal'}", flush=True)
            kills, number = kills + len(moments), number + 1
            shutil.rmtree(out)
        left = sorted(
            path.name for path in (Path(folder) / "killed").iterdir() if not path.name.startswith(".holdfast-")
        )
    print(f"{kills} kills, {failures} results differ; left beside the targets: {', '.join(left) or 'nothing'}")
    sys.exit(bool(failures or left))


def make_inputs(folder: Path) -> dict[str, str]:
    """Write the examples and the subspace that train and correct need."""
    data, subspace = folder / "train.jsonl", folder / "subspace.safetensors"
    rows = [{"prompt": f"What is {i} plus {i}?", "completion": f"It is {2 * i}."} for i in range(40)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = {"data": str(data), "subspace": str(subspace)}
    base = "subspace --base pocket-base --aligned pocket-aligned --rank 4 --output_path {subspace}"
    assert start([part.format(**made) for part in base.split()]).wait() == 0
    return made


def undisturbed(name: str, folder: Path, inputs: dict[str, str]) -> tuple[Content, float]:
    """Return what an undisturbed command writes, and the seconds that it takes."""
    out, began = folder / "whole" / name, time.monotonic()
    assert start(command(name, out, inputs)).wait() == 0, f"{name} fails without a kill"
    return contents(name, out), time.monotonic() - began


def command(name: str, out: Path, inputs: dict[str, str]) -> list[str]:
    return [part.format(out=out, **inputs) for part in COMMANDS[name].split()]


def start(arguments: list[str]) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(
        [sys.executable, "-m", "holdfast.harness.cli", *arguments], env=environment, start_new_session=True, **quiet
    )


def kill_until_finished(arguments: list[str], seconds: float, dice: random.Random) -> tuple[list[float], int]:
    """Kill the command once or twice at random moments, then let it finish; return the moments and the last status."""
    moments = []
    for _ in range(dice.randint(1, 2)):
        process, after = start(arguments), dice.uniform(0.2, 0.9) * seconds
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            moments.append(after)
    return moments, start(arguments).wait()


def contents(name: str, out: Path) -> Content:
    """Return the digests of what must be equal, by file."""
    reads: dict[str, Callable[[bytes], bytes]] = {
        "samples.jsonl": lambda content: b"\n".join(sorted(content.split(b"\n"))),
        "correction_card.json": lambda content: without(content, "seconds"),
        "recipe.json": lambda content: without(content, "started"),
    }
    timed = {"run.json", "training_card.json"}
    files = [path for path in sorted(out.rglob("*")) if path.is_file() and "checkpoint-" not in str(path)]
    return {
        str(path.relative_to(out)): "timed"
        if path.name in timed
        else hashlib.sha256(reads.get(path.name, bytes)(path.read_bytes())).hexdigest()
        for path in files
    }


def without(content: bytes, field: str) -> bytes:
    return json.dumps({name: value for name, value in json.loads(content).items() if name != field}).encode()


def compare(whole: Content, killed: Content) -> list[str]:
    return [f"{name} differs" for name in sorted({*whole, *killed}) if whole.get(name) != killed.get(name)]


if __name__ == "__main__":
    main()
