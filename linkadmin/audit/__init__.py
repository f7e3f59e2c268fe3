"""Append-only, tamper-evident log of every action, denied attempt and read of personal data. Start with log.py."""
