"""Published data sets by name, in the layouts in which they are distributed; none of them is shipped."""
