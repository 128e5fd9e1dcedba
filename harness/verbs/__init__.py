"""The verbs of the command line, grouped by what people do. A verb's module is imported when it is used."""

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

from holdfast.harness.verbs.parser import Parser


class Verb(NamedTuple):
    """A verb: its name, one line about it, and the module whose function `add_NAME` adds its arguments to a parser."""

    name: str
    summary: str
    module: str
    mistake: int = 1
    """The exit status after a mistake in the input or a failure."""

    def parser(self) -> Parser:
        """Return the parser of this verb."""
        summary = self.summary[0].upper() + self.summary[1:] + "."
        parser = Parser(prog=f"holdfast {self.name}", description=summary)
        module = import_module(f"holdfast.harness.verbs.{self.module}")
        getattr(module, f"add_{self.name}")(parser)
        return parser


VERBS: Mapping[str, tuple[Verb, ...]] = {
    "evaluate": (
        Verb("run", "evaluate adapters on tasks under perturbations", "evaluate"),
        Verb("perturb", "perturb a text, or write the variants of tasks as a pack", "evaluate"),
        Verb("validate", "check a run's configuration without running it", "evaluate"),
    ),
    "decide": (
        Verb("check", "decide whether a candidate adapter may replace the one in use", "check", mistake=2),
        Verb("leaderboard", "merge the leaderboards of several runs", "decide"),
        Verb("report", "write runs, and the check of two adapters, as one page of HTML", "reports"),
        Verb("view", "show a report in the browser, and follow a run that is still going", "reports"),
        Verb("safety", "compare the judges of refusals, and correct attack success for their errors", "decide"),
        Verb("export", "write a finished run in the format of another tool", "reports"),
        Verb("card", "write the robustness card of an adapter, or verify one", "reports"),
        Verb("explain", "show why an answer drifted, segment by segment", "decide"),
        Verb("shrink", "reduce a variant to the fewest edits that still break the answer", "decide"),
    ),
    "train and correct": (
        Verb("train", "train an adapter, with objectives and noise that make it robust", "train_and_correct"),
        Verb(
            "inspect", "show the size of an adapter's update, and how flat the loss is around it", "train_and_correct"
        ),
        Verb("subspace", "find the directions in which alignment moved a model", "train_and_correct"),
        Verb("correct", "correct a trained adapter without training it again", "train_and_correct"),
        Verb("equivalence", "compare answers through peft, merged weights and vLLM", "train_and_correct"),
    ),
    "tools": (
        Verb("drift", "compare two texts, segment by segment", "tools"),
        Verb("calibrate", "fit the drift threshold from which an answer counts as broken", "tools"),
        Verb("ls", "list the available tasks, perturbations, metrics, methods and more", "tools"),
        Verb("schema", "print the JSON schema of a file that holdfast writes", "tools"),
        Verb("pocket", "build the shipped pocket models from scratch", "tools"),
    ),
}
