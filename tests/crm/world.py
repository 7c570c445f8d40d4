"""A small shop in which much happens, told through the product's own doors, a step at a time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User

from campaigns.models import Delivery
from crm.audience.leads import definitions
from crm.kernel import tokens
from crm.models import (
    Company,
    Contact,
    OwnField,
    Product,
    ScoreLine,
    Segment,
    SegmentMembership,
    Status,
)
from crm.people import changes, consent
from crm.people.identity import Known, resolve
from crm.shop.intake import SHOP, LineIn, OrderIn, ProductIn, record_orders, record_products
from crm.ticking import ticks
from tests.campaigns import mailing
from tests.campaigns.surveys.stage import answers, message, survey
from tests.office import set_up_shop
from tracking.api import taking
from tracking.visits import ingest

BEGIN = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NAMES = ("ana", "boris", "chen", "dana", "eva", "finn", "gül", "hugo")
STANDING = ("crm.standing", "crm.rhythm", "crm.leads", "crm.statuses")


def mail(name: str) -> str:
    return f"{name}@example.com".replace("ü", "u")


def person(name: str) -> Contact:
    return Contact.objects.get(email=mail(name))


class World:
    """`begin`, and then `steps`: each an instant and what is told at it."""

    def __init__(self) -> None:
        self.orders = 0
        self.acts = 0

    def begin(self) -> None:
        set_up_shop(tracking_needs_consent=False)
        Segment.objects.create(name="Fans", kind=Segment.Kind.FIXED, created_at=BEGIN)
        Company.objects.create(name="Shoes & Sons", domain="shoes", country="DK", created_at=BEGIN)
        User.objects.create(username="mia", is_staff=True)
        OwnField.objects.bulk_create(
            [
                OwnField(key="shoe_size", label="Shoe size", type="number", created_at=BEGIN),
                OwnField(key="birthday", label="Birthday", type="date", created_at=BEGIN),
                OwnField(key="hobby", label="Hobby", type="text", created_at=BEGIN),
                OwnField(key="trade", label="Trade", type="flag", created_at=BEGIN),
                OwnField(key="size", label="Size", type="choice", choices=["S", "M"], created_at=BEGIN),
            ]
        )
        record_products(
            [
                ProductIn("h1", name="shoes", category="shoes", brand="shoes", price=Decimal(50)),
                ProductIn("b1", name="Belt", category="Belts", brand="Corium", price=Decimal(20)),
            ],
            BEGIN,
            source=SHOP,
        )
        known = [
            Known(
                email=mail(name),
                first_name=name.title(),
                country="PT" if number % 2 else "DE",
                language="pt-BR",
                time_zone="Europe/Lisbon" if number % 2 else "America/New_York",
                source="shoes" if number % 3 else "fair",
            )
            for number, name in enumerate(NAMES)
        ]
        resolve(known, BEGIN - 40 * DAY, source="shop")
        self.leads()
        self.statuses()
        self.survey = survey("shoes", "shoes", "Belts", question="shoes", created_at=BEGIN)

    def statuses(self) -> None:
        """Whoever bought lately is a friend for a while."""
        bought = {"all": [{"kind": "crm.ordered", "params": {"times": "1", "within_days": "10"}}]}
        Status.objects.create(key="friend", name="Friend", rule=bought, lasts_days=12, created_at=BEGIN)

    def leads(self) -> None:
        """Whoever bought lately or is tagged is a lead; belts nurture; what was bought makes the score."""

        def bought(**params: str) -> Any:
            return {"all": [{"kind": "crm.ordered", "params": {"times": "1", **params}}]}

        tagged = {"all": [{"kind": "crm.tag", "params": {"tag": "shoes"}}]}
        made = definitions.new_definition("Shoes", BEGIN, "ada")
        draft = definitions.draft_of(made, BEGIN)
        draft.is_lead = {"any": [bought(within_days="20"), tagged]}
        draft.enter_nurturing = bought(within_days="10", category="Belts")
        draft.sales_ready = {
            "all": [{"kind": "crm.lead_score", "params": {"definition": str(made.pk), "at_least": "2"}}]
        }
        draft.save()
        ScoreLine.objects.create(version=draft, rule=bought(within_days="3"), points=4, halves_days=2)
        ScoreLine.objects.create(version=draft, rule=tagged, points=-1)
        definitions.publish(draft, BEGIN, "ada")

    def steps(self) -> list[tuple[datetime, Callable[[datetime], None]]]:
        days: list[tuple[float, Callable[[datetime], None]]] = [
            (0, lambda at: self.told(at, "ana", "product", product_id="h1", category="Shoes", brand="Shoes")),
            (0.1, lambda at: self.bought(at, "ana", "h1")),
            (0.5, lambda at: self.bought(at, "boris", "b1", coupon_code="shoes")),
            (1, lambda at: self.agreed(at, "ana", "granted")),
            (1.2, lambda at: self.cart(at, "chen")),
            (1.6, lambda at: self.told(at, "chen", "search", query="shoes")),
            (2, lambda at: self.told(at, "dana", "page", title="Shoes")),
            (2.05, lambda at: self.told(at, "dana", "product", product_id="b1", category="shoes")),
            (2.5, lambda at: self.tagged(at, "dana", "shoes")),
            (3.1, lambda at: self.bought(at, "ana", "b1")),
            (4, lambda at: self.agreed(at, "ana", "withdrawn")),
            (5, lambda at: self.own(at, "eva", birthday="1990-03-09", shoe_size=2, trade=True)),
            (5.5, self.asked),
            (6, lambda at: self.stays(at, "boris")),
            (6.5, lambda at: self.answered(at, "shoes")),
            (7, lambda at: self.looked_after(at, "boris")),
            (8, lambda at: self.leaves(at, "boris")),
            (9, lambda at: self.told(at, "finn", "favourite", product_id="h1", category="shoes")),
            (9.5, lambda at: self.answered(at, "Belts")),
            (16, lambda at: self.bought(at, "boris", "h1", status="cancelled")),
            (31, lambda at: None),
            (33, lambda at: self.bought(at, "finn", "h1", placed=at - 20 * DAY)),
            (62, lambda at: self.agreed(at, "hugo", "granted")),
            (95, lambda at: self.told(at, "ana", "page")),
            (190, lambda at: None),
            (366, lambda at: self.bought(at, "ana", "h1")),
        ]
        return [(BEGIN + timedelta(days=day), self._and_ticks(act)) for day, act in days]

    def _and_ticks(self, act: Callable[[datetime], None]) -> Callable[[datetime], None]:
        def step(at: datetime) -> None:
            from crm.kernel.work import Budget

            act(at)
            for name in STANDING:
                if name in ticks:
                    ticks[name].work(at, Budget(20))

        return step

    def bought(
        self, at: datetime, name: str, product: str, placed: datetime | None = None, **more: Any
    ) -> None:
        self.orders += 1
        price = Product.objects.get(external_id=product).price or Decimal(0)
        line = LineIn("shoes", product=product, unit_price=price, list_price=price + 5)
        order = OrderIn(
            str(self.orders),
            placed or at,
            price,
            known=Known(email=mail(name)),
            currency="EUR",
            lines=(line,),
            **more,
        )
        record_orders([order], at, source=SHOP)

    def told(self, at: datetime, name: str, kind: str, **details: Any) -> None:
        self.acts += 1
        event = taking.cleaned(
            kind,
            [str(self.acts)],
            at,
            Known(email=mail(name)),
            None,
            details,
            "https://shop.example/shoes?utm_source=shoes&utm_campaign=shoes&gclid=1",
        )
        taking.keep([event], at)
        ingest.apply(at)

    def cart(self, at: datetime, name: str) -> None:
        line = {"product_id": "h1", "name": "shoes", "price": "50.00", "quantity": "2"}
        self.told(at, name, "cart", token="c-1", currency="EUR", lines=[line])

    def agreed(self, at: datetime, name: str, action: str) -> None:
        digest = tokens.address_hash("email", mail(name))[0]
        said = consent.Said(
            digest, "email", "newsletter", action, at, "form", mail(name), person(name).pk, "Yes"
        )
        consent.record([said], at)

    def asked(self, at: datetime) -> None:
        """Two messages that ask; one of them will be answered."""
        campaign, template = mailing.campaign(), message(self.survey)
        for name in ("chen", "dana"):
            mailing.message(person(name), campaign, template=template).save()
        for state in ("claimed", "sending", "sent"):
            Delivery.objects.update(state=state, template_version=template.current, finished_at=at)
        self.messages = list(Delivery.objects.order_by("pk"))

    def answered(self, at: datetime, label: str) -> None:
        answers(self.messages[0], self.survey, label, at=at)

    def stays(self, at: datetime, name: str) -> None:
        segment = Segment.objects.get(name="Fans")
        SegmentMembership.objects.create(contact=person(name), segment=segment, entered_at=at)

    def leaves(self, at: datetime, name: str) -> None:
        SegmentMembership.objects.filter(contact=person(name), left_at=None).update(left_at=at)

    def looked_after(self, at: datetime, name: str) -> None:
        self._changed(at, name, company=Company.objects.get(), owner=User.objects.get())

    def tagged(self, at: datetime, name: str, tag: str) -> None:
        self._changed(at, name, tags=[tag])

    def own(self, at: datetime, name: str, **fields: Any) -> None:
        self._changed(at, name, fields=fields)

    def _changed(self, at: datetime, name: str, **values: Any) -> None:
        before, after = person(name), person(name)
        for field, value in values.items():
            setattr(after, field, value)
        after.save()
        changes.note(before, after, at, actor="ana")
