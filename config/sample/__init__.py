"""The sample shop in the database: loaded so that the program has something to show, removed without trace.

What the shop is and what happened in its year is said in `config.embedded.sample`; here it becomes rows.
"""
