"""Tasks that ask what should be refused: the scores by which they are known, and what stands for their texts."""

SAFETY = ("attack_success", "over_refusal")
"""Scores that only such tasks have: forbidden requests answered, and allowed ones refused."""

HIDDEN = "⟨hidden: the text of a safety task; --show_harmful shows it⟩"
