"""What each group to begin with may do. `roles` gives it to them, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kit:
    """A group, by its permanent key: verbs (as letters: view, add, change, delete) by model, and more."""

    key: str
    name: str
    may: Mapping[str, str]
    besides: tuple[str, ...] = ()
    limit: Mapping[str, int] | None = None
    """How much of lists they may take away: columns of ExportLimit."""
    sight: Mapping[str, str] | None = None
    """Whom they get to see, and how they see addresses: columns of Sight."""
    everything: bool = False
    """All there is to be given, in these apps and of users, groups and the schedule."""

    def permissions(self) -> Iterator[str]:
        """As Django names them: "crm.view_lead"."""
        for model, letters in self.may.items():
            app, name = model.split(".")
            for letter in letters:
                yield f"{app}.{_VERBS[letter]}_{name}"
        yield from self.besides


_VERBS = {"v": "view", "a": "add", "c": "change", "d": "delete"}

# What names nobody. A list of contacts with masked addresses is not there, so viewers see no people.
VIEWERS = Kit(
    "viewers",
    "Viewers",
    {
        "crm.segment": "v",
        "crm.leaddefinition": "v",
        "crm.leadversion": "v",
        "crm.status": "v",
        "crm.risksettings": "v",
        "crm.product": "v",
        "crm.purpose": "v",
        "campaigns.campaign": "v",
        "campaigns.step": "v",
        "campaigns.stepvariant": "v",
        "campaigns.template": "v",
        "campaigns.templateversion": "v",
        "campaigns.savedblock": "v",
        "campaigns.image": "v",
        "campaigns.contentitem": "v",
        "campaigns.survey": "v",
        "campaigns.surveychoice": "v",
        "campaigns.offer": "v",
        "campaigns.offerproduct": "v",
        "campaigns.brandkit": "v",
        "campaigns.frequencysettings": "v",
        "campaigns.recommendationrun": "v",
    },
    sight={"addresses": "never"},
)

SALES = Kit(
    "sales",
    "Sales",
    {
        "crm.contact": "vc",
        "crm.company": "v",
        "crm.lead": "vc",
        "crm.leaddefinition": "v",
        "crm.handover": "v",
        "crm.task": "vac",
        "crm.note": "va",
        "crm.order": "va",
        "crm.product": "v",
        "crm.absence": "vac",
        "crm.assignmentrule": "v",
        "crm.personrequest": "a",
        "tracking.cart": "v",
        "campaigns.letter": "a",
        "campaigns.delivery": "v",
    },
    ("crm.export_contacts",),
    limit={"rows_a_day": 200},
    sight={"people": "unowned"},
)

MARKETERS = Kit(
    "marketers",
    "Marketers",
    {
        "crm.contact": "vac",
        "crm.company": "vac",
        "crm.segment": "vacd",
        "crm.leaddefinition": "vacd",
        "crm.leadversion": "vacd",
        "crm.stage": "vacd",
        "crm.scoreline": "vacd",
        "crm.lead": "vc",
        "crm.handover": "v",
        "crm.assignmentrule": "vacd",
        "crm.assignmentmember": "vacd",
        "crm.absence": "vac",
        "crm.desksettings": "v",
        "crm.task": "vac",
        "crm.note": "va",
        "crm.status": "vac",
        "crm.contactstatus": "vc",
        "crm.mergeproposal": "v",
        "crm.personrequest": "a",
        "crm.ownfield": "vac",
        "crm.risksettings": "vc",
        "crm.import": "va",
        "crm.order": "v",
        "crm.product": "v",
        "crm.purpose": "v",
        "crm.consentevent": "v",
        "crm.suppression": "v",
        "crm.shopsettings": "v",
        "tracking.cart": "v",
        "campaigns.campaign": "vac",
        "campaigns.step": "vacd",
        "campaigns.stepvariant": "vacd",
        "campaigns.template": "vac",
        "campaigns.templateversion": "vac",
        "campaigns.savedblock": "vacd",
        "campaigns.image": "vac",
        "campaigns.contentitem": "vacd",
        "campaigns.survey": "vac",
        "campaigns.surveychoice": "vacd",
        "campaigns.offer": "vac",
        "campaigns.offerproduct": "vacd",
        "campaigns.coupon": "va",
        "campaigns.offersettings": "v",
        "campaigns.delivery": "v",
        "campaigns.decision": "v",
        "campaigns.sender": "v",
        "campaigns.brandkit": "vc",
        "campaigns.frequencysettings": "v",
        "campaigns.recommendationrun": "v",
    },
    ("crm.import_contacts", "crm.export_contacts", "crm.share_savedview", "crm.merge_contacts"),
    limit={"rows": 5000},
    sight={"addresses": "lists"},
)

MARKETING_LEADS = Kit(
    "marketing_leads",
    "Marketing leads",
    {
        **MARKETERS.may,
        "crm.export": "v",
        "campaigns.letter": "a",
        "campaigns.sendingcontrol": "c",
        "campaigns.delivery": "vc",
        "campaigns.enrolment": "v",
        "tracking.event": "v",
    },
    (*MARKETERS.besides, "campaigns.launch_campaign", "campaigns.approve_launch"),
)

PRIVACY_OFFICERS = Kit(
    "privacy_officers",
    "Privacy officers",
    {
        "crm.contact": "v",
        "crm.company": "v",
        "crm.lead": "v",
        "crm.handover": "v",
        "crm.note": "v",
        "crm.task": "v",
        "crm.order": "v",
        "crm.import": "v",
        "crm.export": "v",
        "crm.mergeproposal": "v",
        "crm.personrequest": "a",
        "crm.ownfield": "v",
        "crm.purpose": "v",
        "crm.consentevent": "v",
        "crm.consenttext": "v",
        "crm.suppression": "v",
        "crm.shopsettings": "v",
        "tracking.cart": "v",
        "tracking.event": "v",
        "campaigns.sendingcontrol": "c",
        "campaigns.campaign": "v",
        "campaigns.delivery": "v",
        "campaigns.decision": "v",
        "campaigns.enrolment": "v",
        "campaigns.survey": "v",
    },
    ("crm.handle_requests",),
)

ADMINISTRATORS = Kit("administrators", "Administrators", {}, everything=True)

KITS = (VIEWERS, SALES, MARKETERS, MARKETING_LEADS, PRIVACY_OFFICERS, ADMINISTRATORS)
