"""Reads: full checks of all links, single links, institutions, live provider records, and what webhooks name.

Start with reads.py, which reads the links that are due, and full_checks, which reads all links of an integration.
"""
