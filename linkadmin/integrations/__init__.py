"""Our accounts at providers: encrypted keys, limits shared by all processes, and the threads that make calls.

Start with `connections`: it creates clients. `rate_limiter` admits each call, `call_pool` runs them.
"""
