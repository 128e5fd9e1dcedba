"""A report of runs: one page of HTML, and its charts as figures."""
