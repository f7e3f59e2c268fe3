"""One call, one connection, one deadline: everything between a provider's method and the wire. Start with `client`."""
