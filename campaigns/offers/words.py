"""The reasons against an offer, each by its code, as a list of reasons names them."""

WORDS = {
    "offer_over": "the offer is over, or has not begun",
    "beats_site": "the offer is better than what the site gives",
    "margin_floor": "the offer falls below the margin floor",
    "just_bought": "they just bought at full price all that the offer is on",
    "not_status": "the offer is for people with another status",
    "not_first_time": "the offer is for first-time buyers",
    "discount_dependent": "the offer is not for discount-dependent customers",
    "offer_lately": "they had an offer lately",
    "offer_today": "they had the offers of that day already",
    "ladder": "the offer is too high on the ladder",
    "offer_used": "they have used their code of the offer",
    "offer_expired": "their code of the offer is good no longer",
    "no_coupon": "no code of the offer is left",
}
