"""`holdfast perturb`: write and verify packs, and perturb a text in a pipe."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.plan.packs import read_pack, verify_pack, write_pack
from holdfast.harness.plan.paraphrasing import add_paraphrases
from holdfast.harness.plan.preparation import load_tasks
from holdfast.harness.plan.sample_variants import SampleVariant, cells_of, make_variants, variant_of
from holdfast.harness.results.marking.word_diff import shown_edits
from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.records import IDENTITY
from holdfast.language.thesaurus import EMBEDDED, SETTING
from holdfast.perturbations import Edits
from holdfast.tasks import Sample, Task


def write(config: RunConfig, folder: Path) -> None:
    """Write the variants of a configuration's tasks as a pack; raises UserError for a search, which needs answers."""
    if config.search_method == "greedy":
        raise UserError("--search greedy depends on answers, so it can't be part of a pack: use it with holdfast run")
    pack = write_pack(config, load_tasks(config.tasks, config), folder)
    print(f"{pack.variants} variants in {folder}/, SHA-256 {pack.sha256}")


def verify(folder: Path, tasks: Sequence[str] | None) -> None:
    """Check that this machine makes the same variants; raises UserError naming the first that differs."""
    pack = read_pack(folder)
    if pack.synonyms == EMBEDDED:
        os.environ[SETTING] = EMBEDDED  # even if WordNet is installed
    settings = RunConfig.model_validate(pack.settings)
    try:
        loaded = load_tasks(tasks or settings.tasks, settings)
    except UserError as error:
        raise UserError(f"the pack's tasks: {error}; say where they are with --tasks") from None
    verify_pack(folder, loaded)
    print(f"{folder}: this machine makes the same {pack.variants} variants, byte for byte (SHA-256 {pack.sha256})")


def print_variants(config: RunConfig, *, diff: bool) -> None:
    """Print every variant of a configuration's tasks under its own heading."""
    tasks = add_paraphrases(load_tasks(config.tasks, config), config)
    contents = {(task.name, sample.id): sample.content for task in tasks for sample in task.samples}
    for made in make_variants(config, tasks):
        print(f"==> {made.task}, {made.sample}: {_called(made)} <==")
        print(_shown(contents[made.task, made.sample], made, diff=diff))


def print_perturbed(config: RunConfig, text: bytes, *, diff: bool) -> None:
    """Print a text under each perturbation, with headings if there are several; a final line break is kept.

    Raises:
        UserError: If the text is empty or not UTF-8, or a model would be needed.
    """
    cells = cells_of(config)
    try:
        content = text.decode()
    except UnicodeDecodeError as error:
        raise UserError(
            f"standard input is not UTF-8 (byte {error.start + 1}); convert it, for example with iconv"
        ) from None
    if not content.strip():
        raise UserError(
            "standard input is empty: pipe a text in, as in echo 'some text' | holdfast perturb, or use --tasks"
        )
    body = content.removesuffix("\n")
    sample = Sample("-", body)
    if config.search_method == "greedy" or config.paraphraser:
        raise UserError(
            "--search greedy and --paraphraser need a model, which a pipe does not have: use them with --tasks"
        )
    task = Task("-", (sample,), ())
    variants = [
        SampleVariant(task.name, sample.id, variant_of(task, sample, name, severity, 0, config.seed))
        for name, severity in cells
        if name == IDENTITY and IDENTITY in config.perturbations
    ]
    variants += make_variants(config, [task])
    for made in variants:
        if len(variants) > 1:
            print(f"==> {_called(made)} <==")
        print(_shown(body, made, diff=diff), end="\n" if content != body or len(variants) > 1 else "")
        if not made.variant.edits and made.variant.perturbation != IDENTITY:
            warnings.warn(f"{_called(made)} found nothing to change", stacklevel=2)


def _called(made: SampleVariant) -> str:
    variant = made.variant
    again = f", repeat {variant.repeat}" if variant.repeat else ""
    return f"{variant.perturbation}@{variant.severity}{again}"


def _shown(content: str, made: SampleVariant, *, diff: bool) -> str:
    return shown_edits(Edits(content, made.variant.edits)) if diff else made.variant.text
