"""One call, one connection, one deadline: all between a provider's method and the network. Start with `client`."""
