"""Limits on how many customers one person sees, and on their exports and credential acts. Start with `counting`."""
