"""Heartbeats of the scheduler and workers, so pages can say since when nothing has run.

Start with signs.py, which writes them, and watch.py, which reads them.
"""
