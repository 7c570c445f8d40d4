"""What visitors agree to, in the very words they are shown."""

REMINDER_WORDING = (
    "Yes, e-mail me a reminder of my cart if I leave it behind. "
    "I can stop this with one click in every message."
)
NEWSLETTER_WORDING = (
    "Yes, e-mail me news and offers from Lark & Valve, at most once a week. "
    "I can stop this with one click in every message."
)
CUSTOMER_WORDING = (
    "As our customer you hear from us by e-mail about what goes with things like those you bought, and when "
    "we have not seen you for long. You can say no here, and with one click in every message."
)
CUSTOMER_PURPOSES = ("product_reminder", "win_back")
STOCK_WORDING = (
    "Yes, e-mail me when something I looked at is back in stock. "
    "I can stop this with one click in every message."
)
TRACKING_WORDING = (
    "May we remember what you look at and put in your cart, and whether you open or click our messages?"
)
TRACKING_PURPOSES = ("web_profile", "open_tracking", "click_tracking")
