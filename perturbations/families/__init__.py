"""The built-in perturbations; each module registers its own."""
