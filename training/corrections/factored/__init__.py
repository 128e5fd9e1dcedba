"""The mathematics of corrections, through the factors: splitting an update, attenuating it, projecting it."""
