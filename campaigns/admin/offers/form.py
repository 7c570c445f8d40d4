"""The form of an offer: of each sort only the fields it needs, and every mistake beside its field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import format_html

from campaigns.models import Coupon, Offer
from campaigns.offers.sources import code_sources
from crm.kernel.backoffice import dress
from crm.kernel.kindforms import kind_form

BY_HAND = [("", "brought by hand")]
RULE = (
    "People learn. Whoever leaves a cart and gets a better price an hour later will leave every cart. Keep"
    " such offers rare, small and for people who would not come back without one, and measure them against a"
    " control group."
)
ONLY_FOR = {
    "value": ("kind", "percent amount"),
    "gift": ("kind", "gift"),
    "category": ("on", "category"),
    "brand": ("on", "brand"),
    "shared_code": ("codes", "shared"),
    "code_source": ("codes", "single"),
    "keep_ready": ("codes", "single"),
}


class OfferForm(forms.ModelForm):
    class Meta:
        model = Offer
        fields = [
            "name",
            "kind",
            "value",
            "gift",
            "on",
            "category",
            "brand",
            "minimum",
            "starts_at",
            "ends_at",
            "is_active",
            "place",
            "codes",
            "shared_code",
            "code_source",
            "keep_ready",
            "good_for_hours",
            "may_beat_site",
            "for_status",
            "first_time_only",
            "skip_hunters",
            "rung",
            "follows_ladder",
        ]
        labels = {
            "kind": "What it gives",
            "value": "How much",
            "on": "On what",
            "minimum": "From an order of",
            "starts_at": "From",
            "ends_at": "Until",
            "is_active": "In use",
            "place": "Where it is good",
            "codes": "By which code",
            "keep_ready": "Codes to keep ready",
            "good_for_hours": "Good for hours",
            "may_beat_site": "May be better than the site",
            "for_status": "Only for people who are",
            "first_time_only": "Only for first-time buyers",
            "skip_hunters": "Not for discount-dependent customers",
            "rung": "Rung of the ladder",
            "follows_ladder": "Follows the ladder",
        }
        help_texts = {
            "name": "For you and your colleagues; people never read it.",
            "gift": "As people read it, such as a tote bag.",
            "category": "As the catalogue calls it.",
            "brand": "As the catalogue calls it.",
            "minimum": "Blank: from any order.",
            "starts_at": "Blank: at once.",
            "ends_at": "Blank: without an end.",
            "is_active": "Take it out, and no message gives it any more.",
            "place": "What the site gives everybody any message may say. What only messages give is held to"
            " the rules below.",
            "keep_ready": "Fetched ahead, so that nobody waits for them. 0: none; codes made here need none.",
            "good_for_hours": "From the moment the message is decided, such as 48. Blank: as long as the"
            " offer.",
            "for_status": "Such as VIP: the others get their message without it. An offer of their own that"
            " begins some days before everybody's is early access. Blank: for everybody.",
            "first_time_only": "Whoever has an order that was not cancelled goes without.",
            "skip_hunters": "People most of whose orders had something off; the discount guard's settings say"
            " how many.",
            "rung": "People climb one rung at a time: first a message with nothing off, then 1, then 2, 3.",
            "follows_ladder": "Take it out for what was promised: a welcome, a birthday. Such offers are"
            " given whatever people had before.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        for menu in ("kind", "on", "codes"):
            if menu in fields:
                _inner(fields[menu]).attrs["data-kind-menu"] = menu
        for name, (menu, kinds) in ONLY_FOR.items():
            if name in fields:
                _inner(fields[name]).attrs |= {"data-kind-of": menu, "data-kinds": kinds}
        if "code_source" in fields:
            fields["code_source"].required = False
            fields["code_source"].label = "Codes come"
            fields["code_source"].choices = BY_HAND + code_sources.choices()
        if "may_beat_site" in fields:
            fields["may_beat_site"].help_text = format_html(
                'Otherwise it is given only while the site gives as much. <span class="rk-lesson">{}</span>',
                RULE,
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        needed = {
            "value": cleaned.get("kind") in ("percent", "amount"),
            "gift": cleaned.get("kind") == "gift",
            "category": cleaned.get("on") == "category",
            "brand": cleaned.get("on") == "brand",
            "shared_code": cleaned.get("codes") == "shared",
        }
        for name, is_needed in needed.items():
            if name in self.errors:
                continue
            if not is_needed:
                cleaned[name] = None if name == "value" else ""
            elif cleaned.get(name) in (None, ""):
                self.add_error(name, NEEDED[name])
        value = cleaned.get("value")
        if value is not None and value <= 0:
            self.add_error("value", "Something has to be off: more than 0.")
        elif value is not None and cleaned.get("kind") == "percent" and value > 100:
            self.add_error("value", "Nothing can be reduced by more than 100 percent.")
        starts, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends_at", "It has to end after it begins.")
        if cleaned.get("codes") != "single":
            cleaned["code_source"], cleaned["keep_ready"] = "", 0
        if cleaned.get("place") == Offer.Place.SITE and cleaned.get("for_status"):
            self.add_error("for_status", "What the site gives, it gives everybody: leave this blank.")
        self._clean_shared(cleaned)
        return cleaned

    def _clean_shared(self, cleaned: dict[str, Any]) -> None:
        code = (cleaned.get("shared_code") or "").strip()
        if not code:
            return
        if Coupon.objects.filter(code__iexact=code, is_single=True).exists():
            self.add_error("shared_code", "It is a code of somebody's own already: choose another.")
        others = Offer.objects.filter(shared_code__iexact=code).exclude(pk=self.instance.pk)
        if others.exists():
            self.add_error("shared_code", f"“{others[0]}” has this code already: choose another.")


NEEDED = {
    "value": "How much is off?",
    "gift": "What is given?",
    "category": "On which category?",
    "brand": "On which brand?",
    "shared_code": "Which code is it?",
}


def _inner(field: forms.Field) -> forms.Widget:
    # The admin wraps some widgets in its own.
    inner = getattr(field.widget, "widget", None)
    return inner if isinstance(inner, forms.Widget) else field.widget


def offer_form() -> type[forms.ModelForm[Any]]:
    """The form with the parameters of every source of codes in it."""
    return kind_form(OfferForm, "code_source", "code_params", code_sources)


class BringForm(forms.Form):
    """Codes as text, as a file, or both."""

    text = forms.CharField(
        label="Paste codes",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="One a line.",
    )
    file = forms.FileField(
        label="Or choose a file",
        required=False,
        help_text="CSV or text. A column headed code is taken, and one headed expires as the code's own end.",
    )

    MOST_BYTES = 20_000_000

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file = cleaned.get("file")
        if file and file.size > self.MOST_BYTES:
            self.add_error("file", "This file is larger than 20 MB: cut it into several.")
        elif not file and not (cleaned.get("text") or "").strip():
            self.add_error("text", "Paste some codes, or choose a file.")
        return cleaned

    def whole(self) -> str:
        """All that was brought, as text; bytes that are no text are replaced, and refused by their line."""
        told = self.cleaned_data["text"] or ""
        if file := self.cleaned_data["file"]:
            raw = file.read()
            bom = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
            told += ("\n" if told else "") + raw.decode("utf-16" if bom else "utf-8", "replace")
        return told


class MakeForm(forms.Form):
    number = forms.IntegerField(
        label="How many", min_value=1, max_value=100_000, initial=1000, help_text="At most 100,000 at once."
    )


def dressed(form: forms.Form) -> forms.Form:
    return dress(form)
