"""What others would build: a small Django site with ordinary indexes on its own copy of the rows.

Frozen, as floors are. Its parts: the stock admin, a list of django-tables2 with django-filter,
a webhook view, and a sync in a loop.
"""
