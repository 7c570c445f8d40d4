"""The replenishment play: it will soon be used up."""

from __future__ import annotations

from campaigns.flows.drafting import DAY, Message, Play, none_of, send, true_of, wait
from campaigns.flows.kinds import playbooks
from campaigns.messages.pieces import HELLO, also, letter, product, recommended, text

BECAUSE = (
    "You get this because you order this from time to time and agreed to hear from us about products. We"
    " remind you twice at the most."
)
IT = "{{ product.name | default: 'what you last ordered' }}"
SOON = Message(
    name="Replenishment: soon used up",
    subject="{% if product.name %}Running low on {{ product.name | truncate: 32, '…' }}?"
    "{% else %}Running low?{% endif %}",
    preheader="Going by your last orders it will soon be used up.",
    blocks=letter(
        text(
            f"going by your last orders, {IT} should soon be used up. Order it now, and it should be there"
            " before you need it.",
            heading=HELLO,
        ),
        product("Order it again"),
        recommended("together", "Often ordered with it"),
        also(),
        reply="**Still plenty left?** Reply and tell me when to ask again.",
        because=BECAUSE,
    ),
)
LATER = Message(
    name="Replenishment: is some left?",
    subject="Is there still some left?",
    preheader="I ask once more, and then not again.",
    blocks=letter(
        text(
            f"I thought that {IT} would be used up by now. If it is, you find it here. If you have changed to"
            " something else, tell me what and why: I would like to know.",
            heading=HELLO,
        ),
        product("Order it again"),
        reply="**Something not right with it?** Just reply, it reaches me.",
        because=BECAUSE,
    ),
)


@playbooks.register
class Replenishment(Play):
    """Five days before something is used up by the person's own rhythm, or by its days of supply: a reminder
    with one button to order it again. Once more a week after it was due; any order ends it.

    Nothing off: they come back for it anyway, and would learn to wait for the reminder. Not to whoever
    ordered anything in the last two days: somebody who bought it yesterday and the day before has no rhythm
    of a day.
    """

    key = "campaigns.replenishment"
    label = "Time to order again"
    group = "Sell again"
    help = "Five days before it is used up by their own rhythm: one button to order it again. No discount."
    purpose = "product_reminder"
    trigger = "campaigns.replenishment"
    trigger_params = {"days_before": "5"}
    priority = 50
    entry_rule = none_of(true_of("crm.ordered", within_days="2", times="1"))
    reentry_days = 14
    expires_after = 3 * DAY
    flow = [send("first-message", SOON), wait(12), send("second-message", LATER)]
