"""Where crm keeps rules that may name a segment."""

from crm.audience.uses import Place, places
from crm.models import AssignmentRule, LeadVersion, ScoreLine, Segment, Stage, Status


@places.register
class OtherSegments(Place):
    """The rules of other segments."""

    key = "crm.segments"
    label = "segment"
    model = Segment
    documents = ("rule",)


@places.register
class LeadRules(Place):
    """What makes a lead, in any version of a definition."""

    key = "crm.lead_versions"
    label = "lead definition"
    model = LeadVersion
    documents = ("is_lead", "enter_nurturing", "sales_ready")
    owner = "definition"


@places.register
class ScoreRules(Place):
    """What gives points to leads."""

    key = "crm.score_lines"
    label = "lead definition"
    model = ScoreLine
    documents = ("rule",)
    owner = "version__definition"


@places.register
class StageRules(Place):
    """Who belongs to a stage of a lead definition."""

    key = "crm.stages"
    label = "lead definition"
    model = Stage
    documents = ("rule",)
    owner = "definition"


@places.register
class StatusRules(Place):
    """Who gets a status by itself."""

    key = "crm.statuses"
    label = "status"
    model = Status
    documents = ("rule",)


@places.register
class AssignmentRules(Place):
    """Whose leads a rule hands to whom."""

    key = "crm.assignment_rules"
    label = "assignment rule"
    model = AssignmentRule
    documents = ("rule",)
