"""Reads: full checks of all links, single links, institutions, live provider records, and what webhooks name.

Start with reads.py, where a link that somebody wants to know about is queued and read, and full checks for full checks.
"""
