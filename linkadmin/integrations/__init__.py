"""Our accounts at providers: their encrypted keys, the limits that all processes keep to, and the threads that call.

Start with connections: it makes a client of an integration. rate_limiter admits each of its calls, call_pool runs them.
"""
