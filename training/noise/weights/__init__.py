"""How weights are perturbed during a step: noise added inside the layers, and ascent to a worse point."""
