"""Changes at a provider: intent first, one call, and a lost response is never taken for an outcome.

Start with services.py, which every page calls, and follow starting.py, outcomes.py, reconcile.py.
"""
