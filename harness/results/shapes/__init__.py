"""Results of prompts in several shapes: how far the score spreads, and whether answers stay the same."""
