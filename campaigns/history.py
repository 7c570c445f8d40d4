"""What we did for and to a person, on their timeline: messages, coupons, decisions that said no, runs
through flows.
"""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat
from django.urls import reverse

from campaigns.models import (
    Coupon,
    Decision,
    Delivery,
    DeliveryState,
    Enrolment,
    Letter,
    SurveyAnswer,
)
from crm.kernel.timeline import Rows, Told, said_by, sources

LONGEST = 200
_ABOUT_THEM = (Delivery.Origin.FLOW, Delivery.Origin.SYSTEM)


@sources.register
class Messages(Rows):
    """Messages made for the person and calls about them, and what became of each."""

    key = "campaigns.deliveries"
    label = "Messages"
    kinds = {"message": "Messages"}
    searched = ("channel", "template__name", "state", "campaign__name", "variant", "reason", Value("variant"))
    at = "created_at"

    def rows(self, contact_id: Any) -> QuerySet[Delivery]:
        theirs = Delivery.objects.filter(contact_id=contact_id, origin__in=_ABOUT_THEM)
        return theirs.select_related("template", "campaign").defer("context")

    def tell(self, row: Delivery) -> Told:
        named = f" “{row.template}”" if row.template else ""
        return Told(
            f"{row.get_channel_display()}{named}: {row.get_state_display()}",
            [
                str(row.campaign or ""),
                f"variant {row.variant}" if row.variant else "",
                row.reason.replace("_", " "),
            ],
            url=reverse("admin:campaigns_delivery_change", args=[row.pk]),
            icon="mail" if row.state == DeliveryState.SENT else "mail_off",
            data={"delivery": row.pk, "public_id": str(row.public_id), "state": row.state},
        )


@sources.register
class Letters(Rows):
    """What colleagues wrote to the person by hand, and what became of each."""

    key = "campaigns.letters"
    label = "Letters"
    kinds = {"message": "Messages"}
    at = "written_at"
    icon = "stylus_note"
    searched = (
        "author",
        "subject",
        "text",
        Subquery(
            Delivery.objects.filter(pk=OuterRef("delivery_id"))
            .annotate(told=Concat(said_by(Delivery, "state"), Value(" "), "reason"))
            .values("told")[:1]
        ),
        Value("E-mail by gone"),
    )

    def rows(self, contact_id: Any) -> QuerySet[Letter]:
        delivery = Delivery.objects.filter(pk=OuterRef("delivery_id"))
        return Letter.objects.filter(contact=contact_id).annotate(
            state=Subquery(delivery.values("state")[:1]), reason=Subquery(delivery.values("reason")[:1])
        )

    def tell(self, row: Any) -> Told:
        became = DeliveryState(row.state).label if row.state else "gone"
        return Told(
            f"E-mail by {row.author} “{row.subject}”: {became}",
            [(row.reason or "").replace("_", " "), row.text[:LONGEST]],
            url=reverse("admin:campaigns_delivery_change", args=[row.delivery_id]) if row.delivery_id else "",
            data={"delivery": row.delivery_id, "state": row.state},
        )


@sources.register
class Noes(Rows):
    """Decisions by which the person got no message of its own: held out, not allowed, skipped, joined."""

    key = "campaigns.decisions"
    label = "Decisions"
    kinds = {"decision": "Decisions"}
    searched = ("words", "campaign__name")
    at = "decided_at"
    icon = "block"

    SHOWN = (
        Decision.Verdict.HELD_OUT,
        Decision.Verdict.WAITED,
        Decision.Verdict.JOINED,
        Decision.Verdict.SKIPPED,
        Decision.Verdict.SUPPRESSED,
        Decision.Verdict.FAILED,
    )

    def rows(self, contact_id: Any) -> QuerySet[Decision]:
        noes = Decision.objects.filter(contact_id=contact_id, verdict__in=self.SHOWN)
        return noes.select_related("campaign")

    def tell(self, row: Decision) -> Told:
        data = {"verdict": row.verdict, "reason": row.reason, "evidence": row.evidence}
        return Told(row.words, [str(row.campaign or "")], data=data)


@sources.register
class Runs(Rows):
    """Entering a flow, and where the run stands or how it ended."""

    key = "campaigns.enrolments"
    label = "Flows"
    kinds = {"flow": "Flows"}
    searched = ("campaign__name", "state", "left_reason", "arm", Value("Entered"))
    at = "entered_at"
    icon = "account_tree"

    def rows(self, contact_id: Any) -> QuerySet[Enrolment]:
        return Enrolment.objects.filter(contact_id=contact_id).select_related("campaign")

    def tell(self, row: Enrolment) -> Told:
        return Told(
            f"Entered “{row.campaign}”",
            [_ending(row), "control group" if row.arm == Enrolment.Arm.CONTROL else ""],
            url=reverse("admin:campaigns_campaign_change", args=[row.campaign_id]),
            data={"arm": row.arm, "state": row.state},
        )


@sources.register
class Answers(Rows):
    """What the person answered to surveys, and what they took back by answering again."""

    key = "campaigns.answers"
    label = "Answers"
    kinds = {"answer": "Answers"}
    searched = ("label", "question", "words", "campaign__name", Value("Answered to corrected later"))
    icon = "quiz"

    def rows(self, contact_id: Any) -> QuerySet[SurveyAnswer]:
        return SurveyAnswer.objects.filter(contact_id=contact_id).select_related("campaign")

    def tell(self, row: SurveyAnswer) -> Told:
        return Told(
            f"Answered “{row.label}” to “{row.question}”",
            [
                f"“{row.words}”" if row.words else "",
                "corrected later" if row.replaced_at else "",
                str(row.campaign or ""),
            ],
            url=reverse("admin:campaigns_survey_change", args=[row.survey_id]),
            data={"survey": row.survey_id, "choice": row.choice_id, "counts": row.replaced_at is None},
        )


@sources.register
class Coupons(Rows):
    """Offers the person was given, and what became of each."""

    key = "campaigns.coupons"
    label = "Coupons"
    kinds = {"coupon": "Coupons"}
    searched = ("offer__name", "state", "code", Value("Coupon of off the next order"))
    at = "reserved_at"
    icon = "sell"

    def rows(self, contact_id: Any) -> QuerySet[Coupon]:
        held = Coupon.objects.filter(contact_id=contact_id, reserved_at__isnull=False)
        return held.select_related("offer")

    def tell(self, row: Coupon) -> Told:
        return Told(
            f"Coupon of “{row.offer}”: {row.get_state_display()}",
            [row.code, "off the next order" if row.next_order else ""],
            url=reverse("admin:campaigns_offer_change", args=[row.offer_id]),
            data={"coupon": row.pk, "state": row.state},
        )


def _ending(row: Enrolment) -> str:
    words = row.get_state_display()
    return f"{words}: {row.left_reason.replace('_', ' ')}" if row.left_reason else words
