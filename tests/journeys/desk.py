"""Mia's desk: the pages of the admin as a browser fills them in. A form is posted with all it held, changed
where she types.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from lxml import html

from campaigns.models import Campaign, Offer
from tests.office import logged_in, user

BY_MESSAGE = {"kind": "percent", "value": "10", "place": "messages", "codes": "single"}
MADE_HERE = {"code_source": "campaigns.made_here", "may_beat_site": "on"}


class Desk:
    """One who may do everything."""

    def __init__(self, name: str = "mia") -> None:
        self.client: Client = logged_in(user(name, is_superuser=True))

    def drafts(self, playbook: str) -> Campaign:
        """*Start from a playbook* → *Make a draft*."""
        before = set(Campaign.objects.values_list("pk", flat=True))
        self.presses("campaigns_campaign_make", f"campaigns.{playbook}")
        [made] = Campaign.objects.exclude(pk__in=before)
        return made

    def launches(self, playbook: str, offer: Offer | None = None, **who: str) -> Campaign:
        """A draft; on *Who* nobody is held out, so that each story can be told, and what is said is changed;
        the offer is chosen in each step whose message speaks of one; then the button of the launch page.
        """
        made = self.drafts(playbook)
        self.fills(f"{_page(made)}?section=who", control_share="0", **who)
        if offer is not None:
            for step in made.versions.get().steps.filter(params__without_offer="skip"):
                self.fills(f"{_page(made)}?step={step.key}", offer=str(offer.pk))
        self.presses("campaigns_campaign_launch", made.pk, do="launch", existing="forward", no_control="on")
        made.refresh_from_db()
        return made

    def makes_offer(self, name: str, **said: str) -> Offer:
        """Ten percent by a code of their own, in messages alone."""
        self.fills(reverse("admin:campaigns_offer_add"), name=name, **(BY_MESSAGE | MADE_HERE | said))
        return Offer.objects.get(name=name)

    def fills(self, address: str, **said: str) -> None:
        """Open the page, type into the form that has these fields, and send it."""
        forms = _read(self.client.get(address)).forms
        [form] = [form for form in forms if set(said) <= set(form.fields)]
        answer = self.client.post(form.action or address, dict(form.form_values()) | said)
        assert answer.status_code == 302, _complaints(answer)

    def presses(self, name: str, *args: object, **said: str) -> None:
        """A button of a page."""
        answer = self.client.post(reverse(f"admin:{name}", args=args), said)
        assert answer.status_code == 302, _complaints(answer)

    def reads(self, name: str, *args: object, **asked: str) -> str:
        """The words of a page."""
        answer = self.client.get(reverse(f"admin:{name}", args=args), asked)
        assert answer.status_code == 200, answer
        return " ".join(_read(answer).text_content().split())


def _page(campaign: Campaign) -> str:
    return reverse("admin:campaigns_campaign_change", args=[campaign.pk])


def _read(answer: HttpResponse) -> html.HtmlElement:
    """The page in the charset that its header names, as a browser reads it."""
    return html.fromstring(answer.content.decode(answer.charset))


def _complaints(answer: HttpResponse) -> list[str]:
    """What a page says is wrong."""
    marks = ("errorlist", "rk-bad", "rk-problems", "text-red-")
    wrong = " or ".join(["@role='alert'", *(f"contains(@class, '{mark}')" for mark in marks)])
    return [" ".join(one.text_content().split()) for one in _read(answer).xpath(f"//*[{wrong}]")]
