"""The verbs of the command line, grouped by what people do."""

from collections.abc import Mapping

from holdfast.harness.verbs import decide, evaluate, tools, train_and_correct
from holdfast.harness.verbs.verb import Verb

VERBS: Mapping[str, tuple[Verb, ...]] = {
    "evaluate": evaluate.VERBS,
    "decide": decide.VERBS,
    "train and correct": train_and_correct.VERBS,
    "tools": tools.VERBS,
}
