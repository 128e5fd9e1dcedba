"""The command line's verbs, a file for each kind."""
