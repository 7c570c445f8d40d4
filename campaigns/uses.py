"""Where campaigns name segments: in their rules, their triggers and their steps."""

from campaigns.models import Campaign, Step
from crm.audience.uses import Place, places


@places.register
class CampaignRules(Place):
    """Who enters a campaign, leaves it, and what it is for."""

    key = "campaigns.rules"
    label = "campaign"
    model = Campaign
    documents = ("entry_rule", "exit_rule", "goal", "trigger_params")


@places.register
class StepRules(Place):
    """What the steps of a campaign ask and do, in any of its versions."""

    key = "campaigns.steps"
    label = "campaign"
    model = Step
    documents = ("only_if", "params")
    owner = "version__campaign"
