"""Holdfast: does a LoRA adapter still say the same thing, segment by segment, when its prompt is disturbed?"""

__version__ = "0.1.0"
