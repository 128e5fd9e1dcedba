"""How the result of a check is shown: on a screen, as JSON, JUnit XML, Markdown and GitHub annotations."""
