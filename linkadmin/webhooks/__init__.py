"""Webhooks: intake, verification, one row per delivery. Start with acceptance.py; sync reads what a delivery names."""
