"""Recorded people in a shop that has every play on: told through the public doors, judged from outside."""
