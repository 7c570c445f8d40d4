"""Visits as SQL over events: the one spelling, for what is kept up, made anew, and asked of the past.

A visit is what one person did in one browser without half an hour between two acts. It came from where the
first page says: campaign parameters of its address, ids that advertisers put there, the page that sent them.
"""

GAP = "interval '30 minutes'"
BY_PEOPLE = "e.actor IN ('human', 'likely_human')"
# Opens, clicks and replies happen in the mailbox; what a server tells of without a browser is no visit.
AT_THE_SHOP = "e.kind NOT IN ('open', 'click', 'reply') AND (e.kind <> 'custom' OR e.visitor_id IS NOT NULL)"
VISITING = f"{BY_PEOPLE} AND {AT_THE_SHOP}"

COLUMNS = (
    "contact_id",
    "visitor_id",
    "started_at",
    "ended_at",
    "recorded_at",
    "acts",
    "pages",
    "products",
    "seconds",
    "source",
    "medium",
    "campaign",
    "is_ad",
    "referrer",
    "entry_url",
    "exit_url",
)

_AD_IDS = (
    "gclid|gbraid|wbraid|dclid|msclkid|fbclid|ttclid|twclid|li_fat_id|yclid|rdt_cid|epik|sccid|irclickid"
)
_PAID = "^(cpc|ppc|cpm|cpv|cpa|display|banner|retargeting|remarketing|paid.*)$"


def _told(name: str, longest: int) -> str:
    raw = f"substring(entry_url from '(?i)[?&]{name}=([^&#]*)')"
    plain = f"CASE WHEN {raw} ~ '[%%+]' THEN tracking_decoded({raw}) ELSE {raw} END"
    short = f"COALESCE(left(btrim(lower({plain})), {longest}), '')"
    return f"CASE WHEN entry_url ~* '[?&]utm_' THEN {short} ELSE '' END"


def _host(url: str) -> str:
    return f"lower(substring({url} from '(?i)^https?://(?:[^/?#@]*@)?([^/?#:@]+)'))"


def visits(events: str) -> str:
    """A query of `id` and `COLUMNS`, of all visits that these rows make up: `events` is what stands after
    FROM, with the events as `e`, filtered by `VISITING`. `id` is that of the first act.
    """
    # One aggregate for both ends: asked twice it is counted once.
    urls = "array_agg(url ORDER BY occurred_at, id) FILTER (WHERE page IS NOT NULL)"
    return f"""
    SELECT id, contact_id, visitor_id, started_at, ended_at, recorded_at, acts, pages, products, seconds,
        source, medium, campaign,
        entry_url ~* '[?&](?:{_AD_IDS})=[^&#]' OR medium ~ '{_PAID}' AS is_ad,
        CASE WHEN referrer_told_at = entry_url AND {_host("sent_by")} IS DISTINCT FROM {_host("entry_url")}
            THEN COALESCE(left({_host("sent_by")}, 253), '') ELSE '' END AS referrer,
        entry_url, exit_url
    FROM (
        SELECT *, {_told("utm_source", 120)} AS source, {_told("utm_medium", 120)} AS medium,
            {_told("utm_campaign", 200)} AS campaign
        FROM (
            SELECT contact_id, visitor_id,
                (array_agg(id ORDER BY occurred_at, id))[1] AS id,
                min(occurred_at) AS started_at, max(occurred_at) AS ended_at, max(recorded_at) AS recorded_at,
                count(*)::int AS acts, count(DISTINCT page COLLATE "C")::int AS pages,
                count(DISTINCT product COLLATE "C")::int AS products,
                floor(extract(epoch FROM max(occurred_at) - min(occurred_at)))::int AS seconds,
                COALESCE(({urls})[1], '') AS entry_url, COALESCE(({urls})[count(page)], '') AS exit_url,
                (array_agg(url ORDER BY occurred_at, id) FILTER (WHERE kind = 'page'))[1] AS referrer_told_at,
                (array_agg(referrer ORDER BY occurred_at, id) FILTER (WHERE kind = 'page'))[1] AS sent_by
            FROM (
                SELECT *, count(*) FILTER (WHERE begins) OVER in_order AS island
                FROM (
                    SELECT e.id, e.contact_id, e.visitor_id, e.kind, e.url, e.occurred_at, e.recorded_at,
                        e.props->>'referrer' AS referrer,
                        CASE WHEN e.kind IN ('page', 'product')
                            THEN COALESCE(NULLIF(e.url, ''), e.props->>'product_id', '') END AS page,
                        CASE WHEN e.kind = 'product'
                            THEN COALESCE(e.product_id::text, e.props->>'product_id') END AS product,
                        COALESCE(e.occurred_at - lag(e.occurred_at) OVER in_order >= {GAP}, true) AS begins
                    FROM {events}
                    WINDOW in_order AS (PARTITION BY e.contact_id, e.visitor_id ORDER BY e.occurred_at, e.id)
                ) AS acts
                WINDOW in_order AS (PARTITION BY contact_id, visitor_id ORDER BY occurred_at, id)
            ) AS acts
            GROUP BY contact_id, visitor_id, island
        ) AS visits
    ) AS visits
    """  # noqa: S608 - our own columns
