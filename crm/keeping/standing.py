"""Where they stand: as leads, in segments, with a status, in their rhythm."""

from __future__ import annotations

from crm.kernel.keeping import Kept, keeping
from crm.models import (
    ContactStatus,
    HandOver,
    Lead,
    ScoreChange,
    SegmentMembership,
    StageMove,
    Standing,
    StandingMove,
)


@keeping.register
class Leads(Kept):
    """Of which definitions they are or were a lead. Who has the other's lead keeps it."""

    key = "crm.leads"
    label = "Leads"
    model = Lead


@keeping.register
class Stages(Kept):
    """Moves from stage to stage. Counts of them stay."""

    key = "crm.stage_moves"
    label = "Lead stages"
    model = StageMove
    leaves = {"reason": "", "actor": ""}


@keeping.register
class HandOvers(Kept):
    """When a lead was handed to sales, and what they answered. The answer stays, its words go."""

    key = "crm.hand_overs"
    label = "Hand-overs"
    place = 110
    model = HandOver
    follows = "move"
    leaves = {"words": "", "chosen": ""}


@keeping.register
class Scores(Kept):
    """What their score was."""

    key = "crm.score_changes"
    label = "Scores"
    model = ScoreChange


@keeping.register
class Segments(Kept):
    """The segments they are and were in."""

    key = "crm.memberships"
    label = "Segments"
    model = SegmentMembership


@keeping.register
class Statuses(Kept):
    """Terms of a status."""

    key = "crm.statuses"
    label = "Statuses"
    model = ContactStatus


@keeping.register
class Rhythm(Kept):
    """How they stand by their own rhythm: derived."""

    key = "crm.standing"
    label = "At risk"
    model = Standing
    moves = False


@keeping.register
class RhythmMoves(Kept):
    """How they stood: derived, and of the one person whose orders it was derived from."""

    key = "crm.standing_moves"
    label = "At risk, over time"
    model = StandingMove
    moves = False
