"""The questions of `recommend`: one statement a sort, the same around each.

They take arrays of people (`keys`, `contacts`, `carts`) and moments. Asking of two hundred people costs
as many look-ups into indexes as there are seeds; beside what is theirs, only the best sellers are read.
"""

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
    FROM asked AS a CROSS JOIN LATERAL (
        SELECT product_id, max(occurred_at) AS at, min(occurred_at) AS first,
            count(DISTINCT order_id) AS times
        FROM (
            SELECT l.product_id, l.occurred_at, l.order_id
            FROM crm_orderline AS l JOIN crm_order AS o ON o.id = l.order_id AND o.status <> 'cancelled'
            WHERE l.contact_id = a.contact_id AND l.product_id IS NOT NULL
                AND l.occurred_at > %(bought_since)s AND l.occurred_at <= %(now)s
            ORDER BY l.occurred_at DESC LIMIT 2000
        ) AS latest GROUP BY product_id
    ) AS had
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
)
"""
# The rest is one for all sorts: `chosen` (key, product_id, score, seed, detail) is put before what sells
# best; `hidden` is what they see anyway. So many are laid out that what falls away is made up for.
_ANSWER = """,
laid_out AS MATERIALIZED (
    SELECT key, product_id, 0 AS tier, score, seed, detail FROM chosen
    UNION ALL
    SELECT c.key, b.product_id, 1, c.weight * (1 - b.place / 1000.0), NULL, b.category
    FROM (SELECT key, category, sum(weight) AS weight FROM cares WHERE category <> '' GROUP BY 1, 2) AS c
    JOIN campaigns_bestseller AS b ON b.category = c.category
    WHERE %(by_category)s
    UNION ALL
    SELECT a.key, b.product_id, 2, -b.place, NULL, NULL
    FROM asked AS a CROSS JOIN campaigns_bestseller AS b WHERE b.category = ''
    UNION ALL
    SELECT a.key, n.id, 3, extract(epoch FROM n.created_at), NULL, NULL
    FROM asked AS a CROSS JOIN (
        SELECT id, created_at FROM crm_product
        WHERE is_active AND in_stock IS NOT FALSE AND url <> '' ORDER BY created_at DESC, id LIMIT 30
    ) AS n
),
once AS (
    SELECT DISTINCT ON (key, product_id) * FROM laid_out ORDER BY key, product_id, tier, score DESC
),
allowed AS (
    SELECT o.*, row_number() OVER (PARTITION BY o.key ORDER BY o.tier, o.score DESC, o.product_id) AS place
    FROM once AS o
    JOIN crm_product AS p ON p.id = o.product_id
    WHERE p.is_active AND p.in_stock IS NOT FALSE AND p.url <> ''
        AND NOT EXISTS (SELECT FROM hidden AS h WHERE h.key = o.key AND h.product_id = o.product_id)
        AND NOT EXISTS (
            SELECT FROM bought AS b
            WHERE b.key = o.key AND b.product_id = o.product_id AND b.at > %(just)s AND NOT p.consumable
        )
)
SELECT key, place, product_id, tier, seed, detail FROM allowed WHERE place <= %(most)s
"""
_NEAR = """,
chosen AS MATERIALIZED (
    SELECT key, other_id AS product_id, sum(said) AS score,
        (array_agg(seed ORDER BY said DESC, seed))[1] AS seed,
        (array_agg(how ORDER BY said DESC, seed))[1] AS detail
    FROM (
        SELECT s.key, n.other_id, s.product_id AS seed, s.how,
            n.score * s.weight * CASE s.how WHEN '{weak}' THEN 0.25 ELSE 1 END AS said
        FROM seeds AS s JOIN campaigns_neighbour AS n ON n.product_id = s.product_id AND n.sort = '{sort}'
    ) AS every GROUP BY key, other_id
),
hidden AS (SELECT key, product_id FROM in_cart{also})
"""
# Due: nine tenths of its time have passed; its time is the person's own from three times on, else the
# product's. What is due counts double and more, what cannot be half used up is left out; where no time is
# known, it is neither.
_FAVOURITES = """,
chosen AS MATERIALIZED (
    SELECT key, product_id, CASE WHEN is_due THEN 2 * (times + 1) ELSE times END + weight AS score,
        NULL::uuid AS seed,
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
),
hidden AS (
    SELECT key, product_id FROM in_cart
    UNION ALL
    SELECT b.key, b.product_id FROM bought AS b
    WHERE NOT EXISTS (SELECT FROM chosen AS c WHERE c.key = b.key AND c.product_id = b.product_id)
)
"""
# What came with the catalogue on its first day is not new: the shop is.
_FRESH = """,
chosen AS MATERIALIZED (
    SELECT c.key, p.id AS product_id, sum(c.weight) AS score, NULL::uuid AS seed,
        max(CASE WHEN c.category = p.category AND p.category <> '' THEN p.category ELSE p.brand END) AS detail
    FROM cares AS c JOIN crm_product AS p
        ON (p.category = c.category AND p.category <> '') OR (p.brand = c.brand AND p.brand <> '')
    WHERE p.created_at > %(new_since)s AND p.created_at <= %(now)s
        AND p.created_at > (SELECT min(created_at) + interval '1 day' FROM crm_product)
    GROUP BY c.key, p.id
),
hidden AS (SELECT key, product_id FROM in_cart UNION ALL SELECT key, product_id FROM bought)
"""
_NOTHING = """,
chosen AS (
    SELECT NULL::bigint AS key, NULL::uuid AS product_id, 0::float8 AS score, NULL::uuid AS seed,
        NULL::text AS detail
    WHERE FALSE
),
hidden AS (SELECT key, product_id FROM in_cart)
"""


def _question(chosen: str, *, by_category: bool = True) -> str:
    return _SEEDS + chosen + _ANSWER.replace("%(by_category)s", str(by_category))


QUESTIONS = {
    "similar": _question(
        _NEAR.format(sort="similar", weak="bought", also=" UNION ALL SELECT key, product_id FROM looked")
    ),
    "together": _question(_NEAR.format(sort="together", weak="looked", also="")),
    "favourites": _question(_FAVOURITES),
    "fresh": _question(_FRESH),
    "best": _question(_NOTHING, by_category=False),
}
LOOKED_AT = (
    _SEEDS  # noqa: S608 - our own columns
    + """
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
)
CARES = (
    _SEEDS  # noqa: S608 - our own columns
    + """
SELECT key, lower(name), sum(weight) FROM (
    SELECT key, category AS name, weight FROM cares UNION ALL SELECT key, brand, weight FROM cares
) AS named WHERE name <> '' GROUP BY 1, 2
"""
)
GOES_WITH = """
SELECT n.other_id, n.times FROM campaigns_neighbour AS n JOIN crm_product AS p ON p.id = n.other_id
WHERE n.product_id = %(product)s AND n.sort = %(sort)s
    AND p.is_active AND p.in_stock IS NOT FALSE AND p.url <> ''
ORDER BY n.place LIMIT %(limit)s
"""
