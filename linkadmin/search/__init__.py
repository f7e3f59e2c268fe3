"""Searches that indexes answer: any part of a folded text, the beginning of an ID. Start with `lookups.py`."""
