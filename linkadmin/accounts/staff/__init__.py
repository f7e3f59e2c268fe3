"""Colleagues' accounts, their invitations, and what a second person approves. Start with `colleagues.py`."""
