"""Encryption of secrets at rest. Start with `box.py`."""
