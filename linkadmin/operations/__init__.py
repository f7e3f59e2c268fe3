"""Changes at a provider: the intent is stored first, one request is sent, and a lost response is never an outcome.

Start with services.py, which every page calls, then starting.py, outcomes.py and reconcile.py. states.py has all moves
of an operation, changes/ a row for each kind, and presentation/ the texts for pages.
"""
