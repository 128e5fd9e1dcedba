"""What differs between two texts, for the places that mark it: edits of a prompt, words of two answers."""
