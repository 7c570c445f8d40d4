"""What visitors agree to, in the very words they are shown."""

REMINDER_WORDING = (
    "Yes, e-mail me a reminder of my cart if I leave it behind. "
    "I can stop this with one click in every message."
)
NEWSLETTER_WORDING = (
    "Yes, e-mail me news and offers from Lark & Valve, at most once a week. "
    "I can stop this with one click in every message."
)
TRACKING_TICK = "Yes, remember what I look at and put in my cart: a reminder needs it."
TRACKING_WORDING = (
    "May we remember what you look at? It lets us keep your cart and show what fits it. "
    "The cart itself works either way."
)
