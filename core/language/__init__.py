"""What perturbations and metrics both know of text: sentences, words, languages, units, stems, spelling, lexicons."""
