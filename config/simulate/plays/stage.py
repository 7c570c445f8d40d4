"""The stage: a shop with offers and every playbook launched from its own draft, as a marketer would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from campaigns.flows import launching, variants
from campaigns.flows.kinds import playbooks
from campaigns.flows.playbooks.birthday import FIELD
from campaigns.messages import branding, editing
from campaigns.messages.pieces import coupon
from campaigns.models import Campaign, ChannelLimit, FrequencySettings, Offer, Sender, Step, Template
from campaigns.offers.sources.made_here import MadeHere
from config.simulate import clickstream, servers, stage
from config.simulate.clickstream import Shop
from config.simulate.plays import judge, raw, table
from config.simulate.plays.drive import Drive
from config.simulate.plays.notes import Letter, Limits, Notes, Play, share
from config.simulate.plays.recordings import ABROAD, READERS, Recording, Said
from config.simulate.replay import Doors
from crm.kernel import tokens
from crm.models import Channel, Contact, ShopSettings
from crm.people import own_fields

# The checkout play first: a cart play made after it leaves these people to it.
FIRST = ("campaigns.abandoned_checkout",)
# Something off, where: the offer by play and step. The steps of the last two say nothing of it yet.
GIVES = {
    ("campaigns.abandoned_cart", "first-order"): "FIRST",
    ("campaigns.abandoned_checkout", "first-order"): "FIRST",
    ("campaigns.nurture", "first-order"): "FIRST",
    ("campaigns.at_risk", "offer"): "BACK",
    ("campaigns.welcome", "first-message"): "HELLO",
    ("campaigns.abandoned_checkout", "first-message"): "SHIP",
    ("campaigns.abandoned_cart", "first-message"): "SHIP",
}
SITE_DAYS = 5
SHOWN = 50


@dataclass(frozen=True)
class Outcome:
    """What came of it: the figures, and everything that was not as it must be."""

    table: table.Table
    verdict: judge.Verdict
    plays: list[Play]
    requests: int
    steps: int

    @property
    def is_well(self) -> bool:
        return not self.verdict.violations

    def lines(self) -> Iterator[str]:
        yield f"{self.requests:,} requests, {self.steps:,} steps, {self.table.messages:,} messages"
        yield ""
        yield from self.table.lines()
        yield ""
        yield "| What must hold | Asked | Broken |"
        yield "|---|---|---|"
        broken = self.verdict.broken()
        for rule, number in sorted(self.verdict.asked.items()):
            yield f"| {rule} | {number:,} | {broken[rule]:,} |"
        for violation in self.verdict.violations[:SHOWN]:
            yield f"  {violation}"


def run(
    kind: str,
    path: Path,
    people: int | None = None,
    rest_days: int = 15,
    every: int | None = None,
    progress: Callable[[datetime, int], None] = lambda at, letters: None,
) -> Outcome:
    """Replay a file with all plays on in the present (empty) database, and judge what arrived. The program
    is asked `every` so many seconds; by default as often as suits the recording.
    """
    recording = READERS[kind](path, people)
    recording.every = every or recording.every
    begin = datetime.fromtimestamp(recording.begins - 3600, tz=UTC)
    with ExitStack() as stack:
        hand = stack.enter_context(stage.by_hand(begin))
        server_key = stage.set_up(begin)
        notes = set_up(recording, begin)
        sink = stack.enter_context(servers.mailbox())
        stack.enter_context(stage.mail_into(sink))
        doors = Doors(
            stack.enter_context(servers.collector()), stack.enter_context(servers.web()), server_key
        )
        said = Said(notes, recording.shelf, recording.currency, recording.names)
        signing = tokens.derive("shop-server").hex()
        shop = Shop(ShopSettings.objects.get(pk=1).ingest_key, signing, said)
        drive = Drive(recording, shop, said, doors, notes, sink, hand, rest_days, progress)
        introduce(recording, notes, drive, begin)
        drive.run()
        if recording.visits_are_derived:
            notes.visited = [(act.person, act.at, act.kind, act.item) for act in recording.acts]
        letters = [Letter(one.to, int(one.at.timestamp()), one.raw) for one in sink.arrivals]
        verdict = judge.judge(letters, notes, raw.READERS[kind](path, people, notes))
        return Outcome(table.made(notes, letters), verdict, notes.plays, drive.requests, drive.steps)


def set_up(recording: Recording, begin: datetime) -> Notes:
    """The shop's zone and money, its offers, and every play launched."""
    ShopSettings.objects.filter(pk=1).update(time_zone=recording.zone, currency=recording.currency)
    FrequencySettings.objects.filter(pk=1).delete()
    FrequencySettings.objects.create(pk=1)
    limits = ((20, 1), (7 * 24, 4))
    ChannelLimit.objects.filter(channel=Channel.EMAIL).delete()
    for hours, number in limits:
        ChannelLimit.objects.create(
            channel=Channel.EMAIL, at_most=number, within=timedelta(hours=hours), settings_id=1
        )
    offers = make_offers(recording, begin)
    notes = Notes(
        zone=recording.zone,
        limits=Limits(tuple((hours * 3600, number) for hours, number in limits), 9, 20, 30 * 60, 1),
        code_prefixes=tuple(offers),
    )
    for playbook in sorted(playbooks, key=lambda one: one.key not in FIRST):
        campaign = playbook.make(begin)
        edit(campaign, recording, offers, begin)
        launching.launch(campaign, "simulate", begin)
        assert campaign.sender is not None
        notes.plays.append(
            Play(
                campaign.playbook.partition(".")[2],
                campaign.name,
                campaign.priority,
                campaign.purpose.key,
                campaign.sender.email,
            )
        )
    return notes


def make_offers(recording: Recording, begin: datetime) -> dict[str, Offer]:
    """What the site has on at first, and what only messages give; by what their codes begin with."""
    site = {"place": Offer.Place.SITE, "codes": Offer.Codes.SHARED, "shared_code": "SITE15"}
    own = {"codes": Offer.Codes.SINGLE, "code_source": MadeHere.key}
    good = {
        "starts_at": begin,
        "ends_at": datetime.fromtimestamp(recording.ends, tz=UTC) + timedelta(days=400),
    }
    most = datetime.fromisoformat(recording.broadcast).replace(tzinfo=UTC)
    wanted: dict[str, dict[str, Any]] = {
        "SITE15": {"name": "Sale", "value": 15, "ends_at": most + timedelta(days=SITE_DAYS), **site},
        "FIRST": {"name": "First order", "value": 10, "rung": 1, "first_time_only": True, **own},
        "BACK": {
            "name": "Come back",
            "value": 12,
            "rung": 2,
            "may_beat_site": True,
            "skip_hunters": True,
            **own,
        },
        "HELLO": {"name": "Hello", "kind": Offer.Kind.FREE_SHIPPING, "follows_ladder": False, **own},
        "SHIP": {"name": "Carts", "kind": Offer.Kind.FREE_SHIPPING, "follows_ladder": False, **own},
    }
    for prefix in ("HELLO", "SHIP"):
        wanted[prefix] |= {"rung": 1, "may_beat_site": True}
    return {
        prefix: Offer.objects.create(
            created_at=begin,
            code_params={} if prefix == "SITE15" else {"begins": prefix},
            **good | fields,
        )
        for prefix, fields in wanted.items()
    }


def edit(campaign: Campaign, recording: Recording, offers: dict[str, Offer], now: datetime) -> None:
    """What a marketer changes in the drafts: who it is from, the date of the broadcast, what is given."""
    name = campaign.playbook.partition(".")[2]
    campaign.sender = Sender.objects.create(
        name=f"Mei, {campaign.name}"[:120],
        email=f"{name.replace('_', '-')}@shop.example.com",
        person="Mei",
        reply_to="mei@shop.example.com",
        telephone="+86 10 5555 0100",
        created_at=now,
    )
    if "at" in campaign.trigger_params:
        campaign.trigger_params |= {"at": recording.broadcast}
    campaign.save()
    for (playbook, key), prefix in GIVES.items():
        if playbook == campaign.playbook:
            row = Step.objects.get(version__campaign=campaign, key=key)
            row.offer = offers[prefix]
            row.save()
            for _label, template in variants.messages_of(row):
                speak_of_it(template, now)


def speak_of_it(template: Template, now: datetime) -> None:
    """Add the coupon to a message that does not show one yet."""
    version = template.current
    assert version is not None
    blocks: Sequence[Any] = version.blocks
    if any(block["kind"] == "campaigns.coupon" for block in blocks):
        return
    editing.save_version(
        template,
        subject=version.subject,
        preheader=version.preheader,
        blocks=[*blocks[:2], coupon(), *blocks[2:]],
        look=branding.this_look(),
        by=None,
        now=now,
    )


def introduce(recording: Recording, notes: Notes, drive: Drive, now: datetime) -> None:
    """What the shop knew of people before they came: for some that they live abroad, for most a birthday."""
    bodies = []
    for person in recording.people:
        body = {"id": person, "email": clickstream.email(person)}
        if share("abroad", person) < 0.25:
            notes.zones[person] = ABROAD[int(share("where", person) * len(ABROAD))]
            body["time_zone"] = notes.zones[person]
        bodies.append(body)
    drive.serve("contacts", bodies)
    answers = {
        contact_id: {FIELD: _birthday(email).isoformat()}
        for contact_id, email in Contact.objects.values_list("pk", "email")
    }
    own_fields.fill(answers, now, actor="simulate")


def _birthday(email: str) -> date:
    return date(1980, 1, 1) + timedelta(days=int(share("born", email) * 7300))
