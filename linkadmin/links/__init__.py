"""End users, institutions, links, and the rules that turn observations into one verdict per link.

Start with health: it is the only writer of a link's health. causes says what each cause means to staff.
"""
