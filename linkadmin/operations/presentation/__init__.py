"""What pages say of operations and offer next. Nothing here changes a row.

Start with buttons.py, which a link's page says first, and explanations.py, which says what came of an operation.
"""
