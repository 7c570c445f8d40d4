"""What goes wrong on a person's machine, said in words that help; shown without a traceback."""


class Unavailable(Exception):
    """The local servers cannot be had; the message says what to do."""
