"""The shape of a prompt around its content: format, options and examples, changed without changing what is asked."""
