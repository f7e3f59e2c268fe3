"""Everything that happened to a link: our changes, webhooks, status checks, notes and assignments.

Each kind of entry has its own table. A page reads up to a page of rows from each, starting at one key, and keeps the
nearest. So new rows never shift a page, and nothing is counted.
"""
