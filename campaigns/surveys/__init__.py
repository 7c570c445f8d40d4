"""Asking people: the links a message asks with, the answers that come in, and what they add up to."""
