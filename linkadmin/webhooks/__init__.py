"""Webhooks: intake, verification, one row per delivery. Start with intake.py; sync reads what a delivery names."""
