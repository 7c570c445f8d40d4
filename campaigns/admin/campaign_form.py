"""The two forms of a campaign, *Who* and *Settings*, and the short one that makes a new campaign."""

from __future__ import annotations

import hashlib
from typing import Any

from django import forms

from campaigns.admin.lengths import LengthField
from campaigns.flows.kinds import Trigger, triggers
from campaigns.models import Campaign
from crm.kernel.backoffice import dress
from crm.kernel.kindforms import fields_of, kind_form
from crm.models import Purpose

WHO, SETTINGS = "who", "settings"

# Each says why it is what it is; see docs/guide.md.
HELP = {
    "entry_rule": "Only people of whom this is true may enter. Empty: everyone whom the line above names.",
    "reentry_days": "Days until the same person may enter again, unless they bought meanwhile. Seven "
    "for a left cart: two series a week are nagging; longer where most of a list "
    "always qualifies (60 for “we miss you”).",
    "existing_a_day": "How many people who qualify already are let in a day, besides those to come. "
    "Blank: only those to come. A few hundred a day keep a first mistake small, and "
    "the mail providers calm.",
    "exit_on_purchase": "Any order ends it at once, whatever was bought: a message about what somebody "
    "has just bought is the worst of all. Off only for flows about buyers.",
    "exit_rule": "Whoever this becomes true of leaves before the next step.",
    "goal": "What counts as success, where it is not a purchase.",
    "control_share": "The share of people who walk it and get nothing, to measure what it really "
    "earns: 0.2 is a fifth. Begin with 0.2; go down to 0.05 or 0.1 once the answer is "
    "clear.",
    "in_caps": "On: its messages count in the frequency limits and obey them (one marketing "
    "e-mail in 20 hours, four a week). Off only for what nobody counts as advertising, "
    "such as a double opt-in; of a single message that was asked for, its step says so.",
    "priority": "Of two messages for one person the one with the lower number goes first. 10 what "
    "was asked for, 30 left carts, 40 browsing, 50 replenishment, 60 nurture, 70 win-"
    "back, 80 broadcasts, 90 surveys.",
    "for_status": "Such as VIP: to people who are, its messages go before those of other campaigns "
    "of the same number. It keeps nobody out: the entry rule says who may enter. Blank: for nobody in "
    "particular.",
    "when_beaten": "A left cart goes stale, so its message waits only until it is too late; news may "
    "be dropped, as there will be other news. What shows products may join: they stand in the next message "
    "to the person that has the block “Also for you”, and this one is not sent.",
    "purpose": "What people must have agreed to. Nobody else is written to.",
    "sender": "A person people can answer. Blank: the default sender.",
    "quiet_hours": "On: messages leave only in the hours of the frequency limits, where the person is. What "
    "answers a visit of the last half hour leaves at night all the same: a cart left at 22:15 must not "
    "wait till morning.",
    "expires_after": "A message that could not leave by then is skipped: three hours for a left cart, "
    "since after that most have bought or forgotten. A step may say otherwise. Blank: "
    "never too late.",
    "is_shadow": "People walk it and every decision is written down, but nothing is sent or given. "
    "Good for a few days before the first launch.",
}


class CampaignForm(forms.ModelForm):
    """`seen` is what the campaign said when the page was opened: who saves second is told so first."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    expires_after = LengthField(label="Too late after", required=False)

    class Meta:
        model = Campaign
        fields = [
            "name", "description", "purpose", "sender", "entry_rule", "existing_a_day", "reentry_days",
            "exit_on_purchase", "exit_rule", "expires_after", "quiet_hours", "control_share", "goal",
            "priority", "for_status", "in_caps", "when_beaten", "is_shadow",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in {"reentry_days", "control_share"} & self.fields.keys():
                self.initial[name] = f"{getattr(self.instance, name).normalize():f}"
        if "purpose" in self.fields:
            purposes: Any = self.fields["purpose"]
            purposes.queryset = Purpose.objects.exclude(kind=Purpose.Kind.TRACKING)
        if "reentry_days" in self.fields:
            self.fields["reentry_days"].label = "Again after days"
        if self.instance.pk and "seen" in self.fields:
            self._now = self.initial["seen"] = _mark(self.instance)
        for name in HELP.keys() & self.fields.keys():
            self.fields[name].help_text = HELP[name]
        dress(self, {"expires_after"} & self.fields.keys())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("seen") and self.instance.pk and cleaned["seen"] != self._now:
            posted: Any = self.data
            posted = self.data = posted.copy()
            posted[self.add_prefix("seen")] = self._now
            raise forms.ValidationError(
                "Somebody else changed this campaign since you opened this page. What you typed is kept "
                "here: save once more to put it in the place of theirs, or open the page anew to see theirs."
            )
        trigger = cleaned.get("trigger", self.instance.trigger)
        if "existing_a_day" in cleaned and not (
            trigger in triggers and _looks_at_people(triggers.get(trigger))
        ):
            cleaned["existing_a_day"] = None
        return cleaned

    def save(self, commit: bool = True) -> Any:
        if "goal" in self.changed_data:
            self.instance.goal_asked_at = None  # Of everybody anew: the rule is another one.
        return super().save(commit)


class WhoForm(CampaignForm):
    class Meta(CampaignForm.Meta):
        fields = ["trigger", *CampaignForm.Meta.fields]


def form_of(section: str) -> type[forms.ModelForm[Any]]:
    """The form of a section; without one, the form that makes a new campaign."""
    if section == SETTINGS:
        return CampaignForm
    only_for = {"existing_a_day": _looks_at_people, "reentry_days": _comes_again}
    made = kind_form(WhoForm, "trigger", "trigger_params", triggers, only_for)
    made.base_fields["trigger"].label = "What lets people in"
    return made


def fieldsets(section: str, *, may_change: bool) -> list[Any]:
    """What stands in a section, in the order one decides it."""
    lets_in = ["trigger", *fields_of("trigger", triggers)] if may_change else ["trigger_words"]
    seen = ["seen"] if may_change else []
    if section == WHO:
        return [
            ("Who enters", {"fields": [*seen, *lets_in, "entry_rule", "existing_a_day", "reentry_days"]}),
            ("When they leave", {"fields": ["exit_on_purchase", "exit_rule"]}),
            ("How it is measured", {"fields": ["control_share", "goal"]}),
            ("Beside other campaigns", {"fields": ["priority", "for_status", "when_beaten", "in_caps"]}),
        ]
    if section == SETTINGS:
        return [
            ("Campaign", {"fields": [*seen, "name", "description", "purpose", "sender"]}),
            ("When its messages leave", {"fields": ["quiet_hours", "expires_after"]}),
            ("Shadow", {"fields": ["is_shadow"]}),
        ]
    return [
        ("Campaign", {"fields": ["name", "description", "purpose", "sender"]}),
        ("Who enters", {"fields": lets_in}),
    ]


def _mark(campaign: Campaign) -> str:
    """What the forms of a campaign say, as a short text."""
    said = [str(getattr(campaign, name)) for name in ("trigger", "trigger_params", *CampaignForm.Meta.fields)]
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:20]


def _looks_at_people(kind: Trigger) -> bool:
    return bool(kind.looks_at_people)


def _comes_again(kind: Trigger) -> bool:
    """Whether the re-entry time means anything: not for a broadcast on a date, which goes to each once."""
    return bool(kind.asks_reentry)
