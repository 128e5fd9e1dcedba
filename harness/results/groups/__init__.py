"""Results by group of samples: a language, a label, a topic."""
