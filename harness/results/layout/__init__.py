"""How tables are laid out: what fits a line, what is equal in all rows, the order of rows, other formats."""
