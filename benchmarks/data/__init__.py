"""A database as a large customer has it, in the product's own tables. The same seed, the same rows.

`python -m benchmarks.data FOLDER …` builds what the folder's data set lacks, stage by stage.
"""
