"""What compares the segments of two answers: facts by rule, a model of entailment, or a language model."""
