"""Decide what will be asked: variants, packs, paraphrases, the search for worse ones, and the plan."""
