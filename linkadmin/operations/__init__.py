"""Changes at a provider: intent first, one call, and a lost response is never taken for an outcome.

Start with services.py, which every page calls, and follow starting.py, outcomes.py, reconcile.py. All moves of an
operation are in states.py, its kinds are rows in changes/, and what pages say of it is in presentation/.
"""
