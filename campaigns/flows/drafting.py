"""What the playbooks that send one message have in common: the message, and the draft of the campaign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from campaigns.flows.kinds import Playbook
from campaigns.flows.steps.send import SendEmail
from campaigns.messages import branding, editing
from campaigns.models import Campaign, FlowVersion, Sender, Step, Template
from crm.models import Purpose


def message(
    name: str, subject: str, preheader: str, blocks: Sequence[Mapping[str, Any]], now: datetime
) -> Template:
    """A play's own message; made once: a second campaign starts from what the first one says by now."""
    template, made = Template.objects.get_or_create(name=name, defaults={"created_at": now})
    if made or template.current_id is None:
        editing.save_version(
            template,
            subject=subject,
            preheader=preheader,
            blocks=blocks,
            look=branding.this_look(),
            by=None,
            now=now,
        )
        template.refresh_from_db()
    return template


def one_message(playbook: Playbook, template: Template, now: datetime, **fields: Any) -> Campaign:
    """A draft that sends this message at once to whoever enters. `fields` are of the campaign."""
    usual: dict[str, Any] = {
        "name": playbook.label,
        "description": playbook.help,
        "purpose": Purpose.objects.get(key="newsletter"),
        "sender": Sender.objects.filter(is_default=True).first(),
    }
    with transaction.atomic():
        campaign = Campaign.objects.create(playbook=playbook.key, created_at=now, **(usual | fields))
        version = FlowVersion.objects.create(campaign=campaign, number=1, created_at=now)
        Step.objects.create(
            version=version, key="first-message", position=1, kind=SendEmail.key, template=template
        )
    return campaign
