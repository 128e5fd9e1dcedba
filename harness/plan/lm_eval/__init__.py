"""Tasks of lm-eval, through its own API: its documents, prompts, few-shot examples, filters and metrics."""
