"""What we did for and to a person, on their timeline: messages, coupons, decisions that said no, runs
through flows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.urls import reverse

from campaigns.models import Coupon, Decision, Delivery, DeliveryState, Enrolment, SurveyAnswer
from crm.kernel.timeline import Cursor, Entry, Source, sources

_ABOUT_THEM = (Delivery.Origin.FLOW, Delivery.Origin.SYSTEM)


@sources.register
class Messages(Source):
    """Messages made for the person and calls about them, and what became of each."""

    key = "campaigns.deliveries"
    label = "Messages"
    kinds = {"message": "Messages"}

    def page(
        self, contact_id: Any, before: Cursor | None, limit: int, kinds: Collection[str] | None = None
    ) -> Sequence[Entry]:
        rows = Delivery.objects.filter(contact_id=contact_id, origin__in=_ABOUT_THEM)
        rows = rows.select_related("template", "campaign").defer("context")
        return [
            Entry(
                at=row.created_at,
                source=self.key,
                key=str(row.pk),
                kind="message",
                title=f"{_what(row)}: {row.get_state_display()}",
                detail=" · ".join(
                    filter(None, [str(row.campaign or ""), _variant(row), row.reason.replace("_", " ")])
                ),
                url=reverse("admin:campaigns_delivery_change", args=[row.pk]),
                icon="mail" if row.state == DeliveryState.SENT else "mail_off",
                data={"delivery": row.pk, "public_id": str(row.public_id), "state": row.state},
            )
            for row in self.below(rows, before, at="created_at")[:limit]
        ]


@sources.register
class Noes(Source):
    """Decisions by which the person got nothing: held out, not allowed, skipped."""

    key = "campaigns.decisions"
    label = "Decisions"
    kinds = {"decision": "Decisions"}

    SHOWN = (
        Decision.Verdict.HELD_OUT,
        Decision.Verdict.WAITED,
        Decision.Verdict.SKIPPED,
        Decision.Verdict.SUPPRESSED,
        Decision.Verdict.FAILED,
    )

    def page(
        self, contact_id: Any, before: Cursor | None, limit: int, kinds: Collection[str] | None = None
    ) -> Sequence[Entry]:
        rows = Decision.objects.filter(contact_id=contact_id, verdict__in=self.SHOWN).select_related(
            "campaign"
        )
        return [
            Entry(
                at=row.decided_at,
                source=self.key,
                key=str(row.pk),
                kind="decision",
                title=row.words,
                detail=str(row.campaign or ""),
                icon="block",
                data={"verdict": row.verdict, "reason": row.reason, "evidence": row.evidence},
            )
            for row in self.below(rows, before, at="decided_at")[:limit]
        ]


@sources.register
class Runs(Source):
    """Entering a flow, and where the run stands or how it ended."""

    key = "campaigns.enrolments"
    label = "Flows"
    kinds = {"flow": "Flows"}

    def page(
        self, contact_id: Any, before: Cursor | None, limit: int, kinds: Collection[str] | None = None
    ) -> Sequence[Entry]:
        rows = Enrolment.objects.filter(contact_id=contact_id).select_related("campaign")
        return [
            Entry(
                at=row.entered_at,
                source=self.key,
                key=str(row.pk),
                kind="flow",
                title=f"Entered “{row.campaign}”",
                detail=" · ".join(
                    filter(None, [_ending(row), "control group" if row.arm == Enrolment.Arm.CONTROL else ""])
                ),
                url=reverse("admin:campaigns_campaign_change", args=[row.campaign_id]),
                icon="account_tree",
                data={"arm": row.arm, "state": row.state},
            )
            for row in self.below(rows, before, at="entered_at")[:limit]
        ]


@sources.register
class Answers(Source):
    """What the person answered to surveys, and what they took back by answering again."""

    key = "campaigns.answers"
    label = "Answers"
    kinds = {"answer": "Answers"}

    def page(
        self, contact_id: Any, before: Cursor | None, limit: int, kinds: Collection[str] | None = None
    ) -> Sequence[Entry]:
        rows = SurveyAnswer.objects.filter(contact_id=contact_id).select_related("campaign")
        return [
            Entry(
                at=row.occurred_at,
                source=self.key,
                key=str(row.pk),
                kind="answer",
                title=f"Answered “{row.label}” to “{row.question}”",
                detail=" · ".join(
                    filter(
                        None,
                        [
                            f"“{row.words}”" if row.words else "",
                            "corrected later" if row.replaced_at else "",
                            str(row.campaign or ""),
                        ],
                    )
                ),
                url=reverse("admin:campaigns_survey_change", args=[row.survey_id]),
                icon="quiz",
                data={"survey": row.survey_id, "choice": row.choice_id, "counts": row.replaced_at is None},
            )
            for row in self.below(rows, before)[:limit]
        ]


@sources.register
class Coupons(Source):
    """Offers the person was given, and what became of each."""

    key = "campaigns.coupons"
    label = "Coupons"
    kinds = {"coupon": "Coupons"}

    def page(
        self, contact_id: Any, before: Cursor | None, limit: int, kinds: Collection[str] | None = None
    ) -> Sequence[Entry]:
        rows = Coupon.objects.filter(contact_id=contact_id, reserved_at__isnull=False).select_related("offer")
        return [
            Entry(
                at=row.reserved_at,
                source=self.key,
                key=str(row.pk),
                kind="coupon",
                title=f"Coupon of “{row.offer}”: {row.get_state_display()}",
                detail=" · ".join(filter(None, [row.code, "off the next order" if row.next_order else ""])),
                url=reverse("admin:campaigns_offer_change", args=[row.offer_id]),
                icon="sell",
                data={"coupon": row.pk, "state": row.state},
            )
            for row in self.below(rows, before, at="reserved_at")[:limit]
            if row.reserved_at
        ]


def _what(delivery: Delivery) -> str:
    named = f" “{delivery.template}”" if delivery.template else ""
    return f"{delivery.get_channel_display()}{named}"


def _variant(row: Delivery) -> str:
    return f"variant {row.variant}" if row.variant else ""


def _ending(row: Enrolment) -> str:
    words = row.get_state_display()
    return f"{words}: {row.left_reason.replace('_', ' ')}" if row.left_reason else words
