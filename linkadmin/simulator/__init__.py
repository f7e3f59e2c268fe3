"""A server that simulates the Heron, Belvo and Plaid APIs on one port, for the demo and as a test double.

Start at `store`: everything the providers know, as plain records. Requests change it through `server`, `gateway`
and the `api` of each provider; time changes it through `ticker`, and tests and users through `control_api`.
It imports nothing else of Linkadmin, so a mistake in a client isn't repeated here.
"""
