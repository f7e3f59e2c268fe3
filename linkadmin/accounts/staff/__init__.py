"""Colleagues' accounts and their invitations. Start with `colleagues.py`."""
