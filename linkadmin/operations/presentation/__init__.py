"""Texts and buttons of operations. Nothing here changes a row.

Start with buttons.py, which heads a link's page, and explanations.py, which describes outcomes.
"""
