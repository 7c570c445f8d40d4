"""The anniversary play: about this time last year."""

from __future__ import annotations

from campaigns.flows.drafting import DAY, Message, Play, none_of, send, true_of
from campaigns.flows.kinds import playbooks
from campaigns.messages.pieces import HELLO, also, letter, ordered, recommended, text

MESSAGE = Message(
    name="A year ago: what you ordered then",
    subject="About this time last year",
    preheader="You ordered something from us then. Is it that time again?",
    blocks=letter(
        text(
            "about this time last year you ordered"
            "{% if order.lines.size > 0 %} {{ order.lines[0].name }}"
            "{% if order.lines.size > 1 %} and more{% endif %}{% endif %} from us. If it is that time"
            " again, whether for you or as a present: here is what you had, as far as we still have it, and"
            " what has come in since.",
            heading=HELLO,
        ),
        ordered("You had then, and can have again", "again"),
        recommended("fresh", "New since then"),
        also(),
        reply="**A present?** Tell me who it is for, and I'll suggest something.",
        because="You get this because you ordered from us a year ago and agreed to hear from us about"
        " products. We remind you of it once a year.",
    ),
)


@playbooks.register
class Anniversary(Play):
    """Two weeks before the day on which somebody ordered last year: what they had, and what is new since.
    Meant for what is bought by the season or as a present: choose the category before launch.

    Once a year, and not to those who bought in the last two weeks. Nothing off.
    """

    key = "campaigns.anniversary"
    label = "A year ago you ordered"
    group = "Sell again"
    help = "Two weeks before the day of last year's order: what they had then, and what is new since."
    purpose = "product_reminder"
    trigger = "campaigns.anniversary"
    trigger_params = {"days_before": "14"}
    priority = 51
    entry_rule = none_of(true_of("crm.ordered", within_days="14", times="1"))
    reentry_days = 330
    expires_after = 5 * DAY
    flow = [send("first-message", MESSAGE)]
