"""The exception that means "you can mend this": the command line prints it as one line, without a traceback."""


class UserError(ValueError):
    """A mistake in the input: the message says what is wrong, where, and what to do."""
