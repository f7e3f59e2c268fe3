"""A server that speaks the Heron and Belvo contracts on one port: for the demo, and as the double in tests.

Start at `store`: all that the two providers know, as plain records. Calls change it through `server`, `gateway` and the
`api` of `belvo` or `heron`; time changes it through `ticker`; whoever asks for it through `control_api`.
It imports nothing else of Linkadmin, so that a mistake in a client is not repeated in its double.
"""
