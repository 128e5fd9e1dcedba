"""Ask the engine and score what comes back: the run itself, on one machine or over Ray."""
