"""Dates and times as each language writes them; the clock has 24 hours in all."""
