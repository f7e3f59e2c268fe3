"""Pages of what we read at the providers, of the catalogue of institutions, and of words that nobody here knows."""
