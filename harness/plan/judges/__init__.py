"""Models that judge answers: what they are asked, how their replies are read."""
