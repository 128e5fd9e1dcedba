"""People's own data: rows of files and data sets in many formats, and the samples made of them."""
