"""A server that speaks the Heron and Belvo contracts on one port: the drill ground, and the double for tests.

It imports nothing else of Linkadmin, so that a mistake in a client is not repeated in its double.
"""
