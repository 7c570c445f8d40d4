"""The questions of `recommend`, all sorts in one statement.

They take arrays of people (`keys`, `contacts`, `carts`) and moments. What a person saw and bought is read
once, whatever is asked about it. Two hundred people cost as many look-ups into indexes as there are seeds;
beside what is theirs, only the best sellers are read, and those only for whom the rest does not suffice.
"""

from __future__ import annotations

from collections.abc import Collection

# Seeds: which product, how much it says (fading by half in 10 days of looking, 60 of buying), and how we
# know. A person's rows are few and found by an index that begins with them; the busiest are cut to their
# latest.
_SEEDS = """
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest(%(keys)s::bigint[], %(contacts)s::uuid[], %(carts)s::uuid[])
        AS a (key, contact_id, cart_id)
),
in_cart AS MATERIALIZED (
    SELECT a.key, l.product_id, 3.0::float8 AS weight, 'cart' AS how
    FROM asked AS a
    JOIN tracking_cart AS c ON c.contact_id = a.contact_id AND (c.id = a.cart_id OR c.state = 'open')
    JOIN tracking_cartline AS l ON l.contact_id = c.contact_id AND l.cart_id = c.id
    WHERE l.product_id IS NOT NULL
    GROUP BY a.key, l.product_id
),
looked AS MATERIALIZED (
    SELECT a.key, seen.product_id, 'looked' AS how, seen.at,
        2 * 0.5 ^ (extract(epoch FROM %(now)s - seen.at)::float8 / 864000) AS weight
    FROM asked AS a CROSS JOIN LATERAL (
        SELECT product_id, max(occurred_at) AS at FROM (
            SELECT product_id, occurred_at FROM tracking_event AS e
            WHERE e.contact_id = a.contact_id
                AND e.occurred_at > %(looked_since)s AND e.occurred_at <= %(now)s
                AND e.kind IN ('product', 'favourite') AND e.product_id IS NOT NULL
                AND e.actor IN ('human', 'likely_human')
            ORDER BY e.occurred_at DESC LIMIT 100
        ) AS latest GROUP BY product_id ORDER BY 2 DESC LIMIT 20
    ) AS seen
),
bought AS MATERIALIZED (
    SELECT a.key, had.product_id, 0.5 ^ (extract(epoch FROM %(now)s - had.at)::float8 / 5184000) AS weight,
        'bought' AS how, had.at, had.first, had.times
    FROM asked AS a CROSS JOIN LATERAL ({bought}) AS had
    WHERE had.at > %(bought_since)s
),
seeds AS MATERIALIZED (
    SELECT key, product_id, weight, how FROM in_cart
    UNION ALL SELECT key, product_id, weight, how FROM looked
    UNION ALL SELECT key, product_id, weight, how FROM (
        SELECT key, product_id, weight, how,
            row_number() OVER (PARTITION BY key ORDER BY at DESC, product_id) AS rank
        FROM bought
    ) AS ranked WHERE rank <= 100
),
cares AS MATERIALIZED (
    SELECT s.key, p.category, p.brand, sum(s.weight) AS weight
    FROM seeds AS s JOIN crm_product AS p ON p.id = s.product_id GROUP BY 1, 2, 3
)"""
# What a person bought, as it is kept for each of them; or from the orders, while that is still being counted.
_KEPT = """
    SELECT b.product_id, b.last_at AS at, b.first_at AS first, b.orders AS times
    FROM crm_bought AS b WHERE b.contact_id = a.contact_id AND b.last_at <= %(now)s
"""
_COUNTED = """
    SELECT l.product_id, max(o.occurred_at) AS at, min(o.occurred_at) AS first, count(DISTINCT o.id) AS times
    FROM crm_orderline AS l JOIN crm_order AS o ON o.id = l.order_id AND o.status <> 'cancelled'
    WHERE l.contact_id = a.contact_id AND l.product_id IS NOT NULL AND o.occurred_at <= %(now)s
    GROUP BY l.product_id
"""


SORTS = ("similar", "together", "favourites", "fresh", "best")
"""Every sort; a statement names them by their place here."""

# What goes with the seeds, and how much each of them says; looking says little of what is bought together,
# and the other way round.
_SAID = """,
said AS MATERIALIZED (
    SELECT CASE n.sort WHEN 'similar' THEN 0 ELSE 1 END AS sort, s.key, n.other_id AS product_id,
        s.product_id AS seed, s.how,
        n.score * s.weight * CASE WHEN s.how = CASE n.sort WHEN 'similar' THEN 'bought' ELSE 'looked' END
            THEN 0.25 ELSE 1 END AS said
    FROM seeds AS s JOIN campaigns_neighbour AS n ON n.product_id = s.product_id
    WHERE n.sort = ANY(%(near)s)
)"""
# Due: nine tenths of its time have passed; its time is the person's own from three times on, else the
# product's. What is due counts double and more, what cannot be half used up is left out; where no time is
# known, it is neither.
_FAVOURITE = """,
favourite AS MATERIALIZED (
    SELECT key, product_id, CASE WHEN is_due THEN 2 * (times + 1) ELSE times END + weight AS score,
        'bought ' || CASE times WHEN 1 THEN 'once' WHEN 2 THEN 'twice' ELSE times || ' times' END
        || ', last on ' || to_char(at, 'FMDD Mon YYYY')
        || CASE WHEN is_due THEN '; by now it should be used up' ELSE '' END AS detail
    FROM (
        SELECT b.*, p.consumable,
            p.consumable AND COALESCE(%(now)s >= b.at + 0.9 * lasts.span, FALSE) AS is_due,
            p.consumable AND COALESCE(%(now)s < b.at + 0.5 * lasts.span, FALSE) AS is_plenty
        FROM bought AS b JOIN crm_product AS p ON p.id = b.product_id CROSS JOIN LATERAL (
            SELECT CASE WHEN b.times >= 3 THEN (b.at - b.first) / (b.times - 1)
                ELSE make_interval(days => p.days_of_supply) END AS span
        ) AS lasts
    ) AS known
    WHERE NOT is_plenty AND (consumable OR times >= 2)
)"""
# What came with the catalogue on its first day is not new: the shop is.
_FRESH = """
    SELECT 3, c.key, p.id, sum(c.weight),
        max(CASE WHEN c.category = p.category AND p.category <> '' THEN p.category ELSE p.brand END)
    FROM cares AS c JOIN crm_product AS p
        ON (p.category = c.category AND p.category <> '') OR (p.brand = c.brand AND p.brand <> '')
    WHERE p.created_at > %(new_since)s AND p.created_at <= %(now)s
        AND p.created_at > (SELECT min(created_at) + interval '1 day' FROM crm_product)
    GROUP BY c.key, p.id
"""
_NEAR = "SELECT sort, key, product_id, sum(said), NULL FROM said GROUP BY sort, key, product_id"
_CHOSEN = {
    "similar": _NEAR,
    "together": _NEAR,
    "favourites": "SELECT 2, key, product_id, score, detail FROM favourite",
    "fresh": _FRESH,
}
_HIDDEN = {
    "similar": "SELECT 0, key, product_id FROM looked",
    "favourites": "SELECT 2, b.key, b.product_id FROM bought AS b WHERE NOT EXISTS"
    " (SELECT FROM favourite AS f WHERE f.key = b.key AND f.product_id = b.product_id)",
    "fresh": "SELECT 3, key, product_id FROM bought",
}
# Whoever has too little of a sort is `missing` some: what sells best in their categories follows (`own`),
# then in the shop, then the newest (`shop`). Of both no more is laid out than can fall away and still leave
# enough: as many as are shown at most, and as many as are hidden.
_ANSWER = """,
shown AS MATERIALIZED (
    SELECT id AS product_id, created_at FROM crm_product
    WHERE is_active AND in_stock IS NOT FALSE AND url <> ''
),
chosen (sort, key, product_id, score, detail) AS (
    SELECT 0, 0::bigint, NULL::uuid, 0::float8, NULL::text WHERE FALSE
    {chosen}
),
hidden (sort, key, product_id) AS MATERIALIZED (
    SELECT sort, away.* FROM unnest(%(sorts)s::int[]) AS sort CROSS JOIN (
        SELECT key, product_id FROM in_cart
        UNION ALL
        SELECT b.key, b.product_id FROM bought AS b JOIN crm_product AS p ON p.id = b.product_id
        WHERE b.at > %(just)s AND NOT p.consumable
    ) AS away
    {hidden}
),
near AS MATERIALIZED (
    SELECT * FROM (
        SELECT c.*, row_number() OVER (PARTITION BY sort, key ORDER BY score DESC, product_id) AS place
        FROM chosen AS c JOIN shown USING (product_id)
        WHERE (sort, key, product_id) NOT IN (SELECT sort, key, product_id FROM hidden)
    ) AS ranked WHERE place <= %(most)s
),
missing AS MATERIALIZED (
    SELECT sort, a.key, COALESCE(n.number, 0) AS had, COALESCE(h.number, 0) AS away
    FROM unnest(%(sorts)s::int[]) AS sort CROSS JOIN asked AS a
    LEFT JOIN (SELECT sort, key, count(*) AS number FROM near GROUP BY 1, 2) AS n USING (sort, key)
    LEFT JOIN (SELECT sort, key, count(*) AS number FROM hidden GROUP BY 1, 2) AS h USING (sort, key)
    WHERE COALESCE(n.number, 0) < %(most)s
),
own AS MATERIALIZED (
    SELECT key, product_id, b.category AS detail,
        row_number() OVER (
            PARTITION BY key ORDER BY weight * (1 - b.place / 1000::float8) DESC, product_id
        ) AS rank
    FROM (SELECT key, category, sum(weight) AS weight FROM cares WHERE category <> '' GROUP BY 1, 2) AS c
    JOIN campaigns_bestseller AS b USING (category) JOIN shown USING (product_id)
    WHERE key IN (SELECT key FROM missing WHERE sort <> 4)
),
shop AS MATERIALIZED (
    SELECT *, row_number() OVER (ORDER BY tier, place) AS rank FROM (
        SELECT DISTINCT ON (product_id) * FROM (
            SELECT product_id, 2 AS tier, place FROM campaigns_bestseller WHERE category = ''
            UNION ALL
            SELECT product_id, 3, row_number() OVER () FROM (
                SELECT product_id FROM shown ORDER BY created_at DESC, product_id LIMIT 30
            ) AS newest
        ) AS both_sorts JOIN shown USING (product_id) ORDER BY product_id, tier
    ) AS once
),
laid_out AS (
    SELECT m.*, o.product_id, 1 AS tier, o.rank, o.detail
    FROM missing AS m JOIN own AS o ON o.key = m.key AND o.rank <= %(most)s + m.away WHERE m.sort <> 4
    UNION ALL
    SELECT m.*, s.product_id, s.tier, s.rank, NULL
    FROM missing AS m JOIN shop AS s ON s.rank <= 2 * %(most)s + m.away
),
more AS (
    SELECT *, had + row_number() OVER (PARTITION BY sort, key ORDER BY tier, rank) AS place FROM (
        SELECT DISTINCT ON (sort, key, product_id) * FROM laid_out AS l
        WHERE (sort, key, product_id) NOT IN (
            SELECT sort, key, product_id FROM hidden UNION ALL SELECT sort, key, product_id FROM near
        )
        ORDER BY sort, key, product_id, tier
    ) AS once
)
SELECT sort, key, place, product_id, 0 AS tier, p.name, COALESCE(how, detail) AS detail FROM near {why}
UNION ALL
SELECT sort, key, place, product_id, tier, NULL, detail FROM more WHERE place <= %(most)s
"""
# By which seed, for those alone that are shown: the one that says most.
_WHY = """LEFT JOIN (
    SELECT DISTINCT ON (sort, key, product_id) sort, key, product_id, seed, how
    FROM near JOIN said USING (sort, key, product_id) ORDER BY sort, key, product_id, said DESC, seed
) AS said_most USING (sort, key, product_id) LEFT JOIN crm_product AS p ON p.id = seed"""
_NO_WHY = "CROSS JOIN (SELECT NULL::text AS name, NULL::text AS how) AS p"
NEAR = SORTS[:2]


def _seeds(whole: bool) -> str:
    return _SEEDS.replace("{bought}", _KEPT if whole else _COUNTED)


def question(names: Collection[str], whole: bool) -> str:
    """Sort, key, place, product, tier, the seed's name and detail of every answer to these sorts. They are
    `sorts` by their places, and by name those of them that are `near`. `whole`: what people bought is kept
    for all of them.
    """
    is_near = not set(NEAR).isdisjoint(names)
    # A statement said twice is wanted once: what goes with the seeds is of two sorts.
    chosen = dict.fromkeys(_CHOSEN[name] for name in names if name in _CHOSEN)
    hidden = [_HIDDEN[name] for name in names if name in _HIDDEN]
    answer = (
        _ANSWER.replace("{chosen}", "".join(f" UNION ALL {one}" for one in chosen))
        .replace("{hidden}", "".join(f" UNION ALL {one}" for one in hidden))
        .replace("{why}", _WHY if is_near else _NO_WHY)
    )
    return _seeds(whole) + _SAID * is_near + _FAVOURITE * ("favourites" in names) + answer


_LOOKED_AT = """
SELECT key, product_id FROM (
    SELECT l.key, l.product_id,
        row_number() OVER (PARTITION BY l.key ORDER BY l.at DESC, l.product_id) AS place
    FROM looked AS l JOIN crm_product AS p ON p.id = l.product_id
    WHERE p.is_active AND p.in_stock IS NOT FALSE AND p.url <> ''
        AND NOT EXISTS (
            SELECT FROM bought AS b WHERE b.key = l.key AND b.product_id = l.product_id
                AND (b.at >= l.at OR NOT p.consumable AND b.at > %(just)s)
        )
) AS ranked WHERE place <= %(most)s ORDER BY key, place
"""
_CARES = """
SELECT key, lower(name), sum(weight) FROM (
    SELECT key, category AS name, weight FROM cares UNION ALL SELECT key, brand, weight FROM cares
) AS named WHERE name <> '' GROUP BY 1, 2
"""


def looked_at(whole: bool) -> str:
    """Key and product of what each looked at lately and did not buy since."""
    return _seeds(whole) + _LOOKED_AT


def cares(whole: bool) -> str:
    """Key, category or brand in small letters, and how much each cares for it."""
    return _seeds(whole) + _CARES


GOES_WITH = """
SELECT n.other_id, n.times FROM campaigns_neighbour AS n JOIN crm_product AS p ON p.id = n.other_id
WHERE n.product_id = %(product)s AND n.sort = %(sort)s
    AND p.is_active AND p.in_stock IS NOT FALSE AND p.url <> ''
ORDER BY n.place LIMIT %(limit)s
"""
