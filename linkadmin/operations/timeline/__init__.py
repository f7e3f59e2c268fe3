"""Everything that happened to a link: what we did, what we were told and saw, what staff wrote down and decided.

Each kind of entry is a table of its own. A page of the timeline takes as many rows of each as a page holds, from one
key on, and keeps those that come first: so it is right whatever is added meanwhile, and nobody counts anything.
"""
