"""Belvo, as it answers: start at `api`, which says what may be called and by whom."""
