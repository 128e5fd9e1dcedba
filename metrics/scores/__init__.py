"""The metrics, one file per kind; every module here registers what it holds."""
