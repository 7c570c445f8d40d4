"""The reasons of deliveries as a person reads them."""

from campaigns.delivery.guards import guards
from campaigns.models import Delivery, DeliveryState
from campaigns.offers.words import WORDS as OFFERS
from crm.people import consent

_OWN = {
    "sender_died": "The sending process ended before the receiver's answer was read",
    "no_answer": "The receiver's answer was never read",
    "gave_up": "The receiver said no, or nothing, to every attempt",
    "no_step": "The step that would call is gone, or cannot be read",
    "no_contact": "The person is no longer known",
    "merged": "They were merged into another person",
    "letter_gone": "The letter, or its address, is gone",
    "not_made": "It could not be made yet; tried again soon",
    "sent_again": "A colleague had it sent again",
    "closed": "A colleague closed it",
    "found_sent": "A colleague found that it had arrived",
} | {code: f"Without its offer nothing is sent: {words}" for code, words in OFFERS.items()}


def why(reason: str, state: str = "") -> str:
    """The reason in words; one that nothing knows is shown as it is."""
    if not reason:
        return ""
    if reason in _OWN:
        return _OWN[reason]
    if reason in consent.REASONS:
        words = str(consent.REASONS[reason])
        return words[:1].upper() + words[1:] if state == DeliveryState.FAILED else f"Not allowed: {words}"
    known = next((guard for guard in guards if guard.reason == reason), None)
    return known.say(reason) if known else reason.replace("_", " ")


def reasons() -> list[tuple[str, str]]:
    """What a list may be filtered by."""
    found = {guard.reason: guard.label for guard in guards if guard.reason}
    found |= {code: f"Not allowed: {words}" for code, words in consent.REASONS.items()}
    return sorted((found | _OWN).items(), key=lambda pair: pair[1])


def state_words(delivery: Delivery) -> str:
    return "held" if delivery.is_held else delivery.get_state_display()
