"""The course for leads who are not ready to buy: what helps to choose, over two months, at their pace."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from campaigns.flows.drafting import (
    DAY,
    Message,
    Planned,
    Play,
    Rule,
    all_of,
    any_of,
    branch,
    send,
    then,
    true_of,
    wait,
)
from campaigns.flows.kinds import playbooks
from campaigns.flows.steps.leave import Leave
from campaigns.messages.pieces import HELLO, button, coupon, letter, reading, recommended, text
from crm.audience.leads import definitions
from crm.models import LeadDefinition, Stage

LEADS = "Signed up, not bought yet"
SLOW, USUAL = "Half the pace", "Usual pace"
BECAUSE = "You get this because you asked to hear from us. It is a short course, and it ends by itself."

PROMISED = Message(
    name="Course 1: what was promised",
    subject="As promised, and what comes next",
    preheader="What this is, how long it takes, and how to stop it.",
    blocks=letter(
        text(
            "thank you for your interest. Over the next weeks I send you what helps to choose well: what to"
            " look for, what others took, and what I would take myself. About one message a week; it ends by"
            " itself, or when you say so.",
            heading=HELLO,
        ),
        reading("To begin with"),
        button("Have a look around"),
        reply="**In a hurry?** Tell me what you need, and I'll tell you what I would choose.",
        because=BECAUSE,
    ),
)
CHOOSE = Message(
    name="Course 2: how to choose",
    subject="How to choose, in three questions",
    preheader="Answer them for yourself, or send me the answers.",
    blocks=letter(
        text(
            "before people ask me what they should take, I ask them three things:",
            "1. **What is it for**, most of the time? Not for the one day a year.\n"
            "2. **What do you have already** that it has to go with?\n"
            "3. **What bothered you** about the last one?",
            "Whoever can answer these seldom chooses wrong. Reply with your answers, and I'll tell you what"
            " I would choose, even if it is the cheaper one.",
            heading=HELLO,
        ),
        reading("To read on"),
        button("Look around with these in mind"),
        reply="**Send me your three answers.** They reach me, not a machine.",
        because=BECAUSE,
    ),
)
PROOF = Message(
    name="Course 3: what others took",
    subject="What others took, and kept",
    preheader="The choice of many people in the last months.",
    blocks=letter(
        text(
            "you need not take my word for it. These are what most people took in the last months. Look at"
            " what they have in common; and if you wonder why one of them is so well liked, ask me for the"
            " drawbacks, too.",
            heading=HELLO,
        ),
        recommended("best", "Taken most", 4),
        button("See what others took"),
        reply="**Which one, and why not the other?** Ask me.",
        because=BECAUSE,
    ),
)
PICKS = Message(
    name="Course 4: picks for you",
    subject="{{ contact.first_name | default: 'Hello' }}, I would look at these",
    preheader="By what you have looked at so far.",
    blocks=letter(
        text(
            "going by what you looked at so far, I would look at these. If I am wide of the mark, tell me"
            " what is wrong with them: then I know better.",
            heading=HELLO,
        ),
        recommended("similar", "Picked for you", 4),
        button("See more of them"),
        reply="**Wide of the mark?** One line, and I'll pick again.",
        because=BECAUSE,
    ),
)
FIRST_ORDER = Message(
    name="Course 5: something for the first order",
    subject="{{ offer.headline | default: 'Something' }} for your first order",
    preheader="If you were going to order anyway.",
    blocks=letter(
        text(
            "if you have found what you want, this is for your first order with us. If you have not, leave"
            " it: choosing well is worth more than anything off.",
            heading=HELLO,
        ),
        coupon("For your first order"),
        recommended("similar", "What you looked at leads to these"),
        reply="**Not sure yet?** Then ask me first.",
        because=BECAUSE,
    ),
)
NEW = Message(
    name="Course 6: what is new",
    subject="New, and worth a look",
    preheader="Picked by what you like to look at.",
    blocks=letter(
        text(
            "a few things came in that go with what you looked at. No more than that today.",
            heading=HELLO,
        ),
        recommended("fresh", "New, and picked for you", 4),
        button("See what is new"),
        because=BECAUSE,
    ),
)
READ = Message(
    name="Course 7: something to read",
    subject="Something to read, nothing to decide",
    preheader="For a quiet quarter of an hour.",
    blocks=letter(
        text(
            "nothing to decide today. What follows has helped others to make up their minds, or to be content"
            " with what they have, which is fine, too.",
            heading=HELLO,
        ),
        reading("For a quiet quarter of an hour", 3),
        recommended("best", "Liked most just now"),
        button("Have a look around"),
        reply="**A question nobody could answer?** I'll try.",
        because=BECAUSE,
    ),
)
GOODBYE = Message(
    name="Course 8: the end of the course",
    subject="That was the course",
    preheader="What happens now: nothing, unless you want it.",
    blocks=letter(
        text(
            "this was the last message of the course. From now on you hear from us only when there is news."
            " If you are still looking: tell me what for, and I'll help you choose. Thank you for"
            " reading.",
            heading=HELLO,
        ),
        recommended("similar", "Still on your mind?"),
        reply="**Still looking?** Tell me in a line, and I'll pick for you.",
        because=BECAUSE,
    ),
)


def left_alone(messages: int) -> dict[str, Any]:
    """So many of our messages in a row without a click or an answer."""
    return all_of(true_of("campaigns.left_alone", times=str(messages), days="2"))


def pace(rest: int) -> list[Planned]:
    """Wait; whoever left two messages in a row alone waits twice as long."""
    return [wait(rest), branch((SLOW, left_alone(2)), otherwise=USUAL), wait(rest, path=SLOW)]


def stop(key: str) -> Planned:
    """Whoever left four messages in a row alone is left in peace."""
    return then(Leave.key, key=key, only_if=left_alone(4), params={"reason": "ignored four in a row"})


@playbooks.register
class Nurture(Play):
    """A course for leads who are not ready to buy, three in four of them: at once what was promised, then how
    to choose (2 days), what others took (5), picks for them (9), something for the first order (14), and
    something every fortnight to the sixtieth day.

    Two messages without a click or an answer halve the pace, four end it. Cart and browse messages go first.
    An order ends it, and so does sales-ready: then a person takes over. A lead that sales give back goes on
    where they left off. Makes a lead definition where there is none.
    """

    key = "campaigns.nurture"
    label = "Course for leads"
    group = "Welcome"
    help = "Leads not ready to buy: eight messages in sixty days, at the pace at which they read."
    trigger = "campaigns.lead_moves"
    priority = 60
    exit_rule = any_of(
        true_of("crm.lead_meaning", meaning=Stage.Meaning.SALES_READY.value),
        true_of("crm.lead_meaning", meaning=Stage.Meaning.ACCEPTED.value),
    )
    reentry_days = 180
    expires_after = 5 * DAY
    flow = [
        send("promised", PROMISED),
        wait(2),
        send("choose", CHOOSE),
        *pace(3),
        send("proof", PROOF),
        *pace(4),
        send("picks", PICKS),
        *pace(5),
        stop("silent-so-far"),
        send("first-order", FIRST_ORDER, needs_offer=True),
        *pace(14),
        stop("silent-by-new"),
        send("new", NEW),
        # At half the pace the sixty days are over here.
        then(Leave.key, key="slow-end", path=SLOW, params={"reason": "the sixty days are over"}),
        wait(14),
        stop("silent-by-read"),
        send("read", READ),
        wait(14),
        stop("silent-by-goodbye"),
        send("goodbye", GOODBYE),
    ]

    def settings(self, now: datetime) -> dict[str, Any]:
        found = LeadDefinition.objects.filter(is_active=True).order_by("created_at", "pk").first()
        definition = found or _leads(now)
        nurtured = definition.stages.filter(meaning=Stage.Meaning.NURTURE).order_by("position").first()
        to = str(nurtured.pk) if nurtured else "lead"
        return {"trigger_params": {"definition": str(definition.pk), "to": to}}


def _leads(now: datetime) -> LeadDefinition:
    """A meaning of *lead* to begin with: may be sent the newsletter and has never bought."""
    rule: Rule = all_of(
        true_of("crm.consent", purpose="newsletter", channel="email"), true_of("crm.not_ordered")
    )
    definition = definitions.new_definition(LEADS, now, "a playbook")
    draft = definitions.draft_of(definition, now)
    draft.is_lead = draft.enter_nurturing = dict(rule)
    draft.save(update_fields=["is_lead", "enter_nurturing"])
    definitions.publish(draft, now, "a playbook")
    return definition
