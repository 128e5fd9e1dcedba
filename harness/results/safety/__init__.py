"""The safety of adapters: attack success by several judges, their agreement, corrected rates."""
