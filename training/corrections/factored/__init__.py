"""The mathematics of corrections on low-rank factors: splitting, attenuating and projecting an update."""
