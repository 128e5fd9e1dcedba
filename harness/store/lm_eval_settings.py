"""How tasks of lm-eval are asked in a run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LmEvalSettings:
    """What is asked of all tasks of lm-eval; the names are those of lm-eval's own flags."""

    num_fewshot: int | None = None
    system_instruction: str | None = None
    apply_chat_template: bool = False
    include_path: str | None = None

    @property
    def given(self) -> list[str]:
        """The names of the settings that are not at their default."""
        return [name for name in self.__slots__ if getattr(self, name) not in (None, False)]
