"""A shop's recorded clickstream, replayed through the public doors on a moved clock, beside an independent
count.
"""
