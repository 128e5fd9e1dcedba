"""Plan a run: its variants, packs and paraphrases, the search for worse variants, and the requests."""
