"""Domain model and health rules: customers, institutions, links, and one verdict per link.

Start with `health`, the only writer of a link's health. `causes` says what each cause means to staff.
"""
