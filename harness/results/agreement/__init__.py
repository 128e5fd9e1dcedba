"""How far the answers to variants of one sample agree with each other."""
