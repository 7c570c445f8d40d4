"""The statements of `recommending`: baskets, pairs, best sellers.

Tables named rk_ are temporary and gone with the transaction. Each statement reads its tables once: orders and
counts a day are scanned whole, for nearly all of them lie in the window; pairs of one range of products are a
hash of that range's baskets against all. When a person last bought what is kept with the orders
(`crm.shop.bought`); it is worked out here only while that is still being counted.
"""

# Products by small numbers: pairs of these are a quarter of the size of pairs of keys.
GOODS = """
    CREATE TEMPORARY TABLE rk_goods ON COMMIT DROP AS
    SELECT id, row_number() OVER (ORDER BY id)::int AS number, category, created_at,
        is_active AND in_stock IS NOT FALSE AND url <> '' AS may_be_shown
    FROM crm_product
"""
_BASKET = """
    CREATE TEMPORARY TABLE rk_basket ON COMMIT DROP AS
    WITH {rows},
    numbered AS (
        SELECT basket, number, is_tight,
            row_number() OVER (PARTITION BY basket ORDER BY at DESC, number) AS rank
        FROM (
            SELECT {tight} AS basket, number, TRUE AS is_tight, max(at) AS at FROM rows GROUP BY 1, 2
            UNION ALL
            SELECT uuid_hash_extended(contact_id, 1), number, FALSE, at
            FROM ({loose_rows}) AS loose JOIN often USING (contact_id)
        ) AS both_sorts
    ),
    kept AS (
        SELECT basket, number, is_tight FROM numbered
        WHERE rank <= CASE WHEN is_tight THEN %(most)s ELSE %(loose_most)s END
    )
    SELECT basket, number, is_tight, count(*) OVER (PARTITION BY basket)::int AS size,
        (CASE WHEN is_tight THEN 1 ELSE %(loose)s END / count(*) OVER (PARTITION BY basket))::float4 AS weight
    FROM kept
"""
_LAST_OF_ROWS = "SELECT contact_id, number, max(at) AS at FROM rows GROUP BY 1, 2"
_LAST_BOUGHT = """
    SELECT b.contact_id, g.number, b.last_at AS at
    FROM crm_bought AS b JOIN rk_goods AS g ON g.id = b.product_id
    WHERE b.last_at > %(bought_since)s AND b.last_at <= %(now)s
"""
_ORDERS = """
    rows AS MATERIALIZED (
        SELECT l.contact_id, l.order_id, g.number, l.occurred_at AS at
        FROM crm_orderline AS l
        JOIN crm_order AS o ON o.id = l.order_id AND o.status <> 'cancelled'
        JOIN rk_goods AS g ON g.id = l.product_id
        WHERE l.occurred_at > %(bought_since)s AND l.occurred_at <= %(now)s
            AND NOT EXISTS (SELECT FROM crm_contact AS c WHERE c.id = l.contact_id AND c.is_test)
    ),
    often AS MATERIALIZED (
        SELECT contact_id FROM rows GROUP BY contact_id
        HAVING min(uuid_hash_extended(order_id, 0)) <> max(uuid_hash_extended(order_id, 0))
    )"""


def orders(whole: bool) -> str:
    """Baskets of what was bought. `whole`: when each person last bought what is kept for all of them."""
    return _BASKET.format(
        rows=_ORDERS,
        loose_rows=_LAST_BOUGHT if whole else _LAST_OF_ROWS,
        tight="uuid_hash_extended(order_id, 0)",
    )


VIEWS = _BASKET.format(
    rows="""
    rows AS MATERIALIZED (
        SELECT d.contact_id, g.number, d.on_day AS at
        FROM tracking_dailycount AS d JOIN rk_goods AS g ON g.id = d.product_id
        WHERE d.kind IN ('product', 'favourite')
            AND d.on_day > %(looked_since)s AND d.on_day <= %(looked_until)s
            AND NOT EXISTS (SELECT FROM crm_contact AS c WHERE c.id = d.contact_id AND c.is_test)
    ),
    often AS MATERIALIZED (SELECT contact_id FROM rows GROUP BY contact_id HAVING min(at) <> max(at))""",
    loose_rows=_LAST_OF_ROWS,
    tight="uuid_hash_extended(contact_id, at - DATE '2000-01-01' + 2)",
)
# In how many baskets each product is, and the pairs it makes in them.
OFTEN = """
    CREATE TEMPORARY TABLE rk_often ON COMMIT DROP AS
    SELECT number, count(*) FILTER (WHERE is_tight) AS baskets, sum(size - 1)::bigint AS pairs
    FROM rk_basket GROUP BY number
"""
RANGES = """
    SELECT min(number), max(number) FROM (
        SELECT number, (sum(pairs) OVER (ORDER BY number) - pairs) / %(pairs_at_once)s AS part FROM rk_often
    ) AS parts GROUP BY div(part, 1) ORDER BY 1
"""
PAIRS = """
    INSERT INTO campaigns_neighbour (product_id, sort, place, other_id, score, times)
    WITH pairs AS (
        SELECT a.number AS one, b.number AS other, sum(a.weight) AS near, count(*) AS times
        FROM rk_basket AS a JOIN rk_basket AS b ON b.basket = a.basket AND b.number <> a.number
        WHERE a.number BETWEEN %(first)s AND %(last)s
        GROUP BY a.number, b.number HAVING count(*) >= %(times)s
    ),
    scored AS (
        SELECT one, other, times,
            near / sqrt(greatest(p.baskets, 1)::float8 * greatest(q.baskets, 1))
                * near / (near + %(doubt)s) AS score
        FROM pairs JOIN rk_often AS p ON p.number = one JOIN rk_often AS q ON q.number = other
    ),
    ranked AS (
        SELECT o.id AS product_id, g.id AS other_id, score, times,
            row_number() OVER (PARTITION BY one ORDER BY score DESC, other) AS place
        FROM scored
        JOIN rk_goods AS o ON o.number = one
        JOIN rk_goods AS g ON g.number = other AND g.may_be_shown
    )
    SELECT product_id, %(sort)s, place, other_id, least(score, 1), times
    FROM ranked WHERE place <= %(per_product)s
"""
# Where nothing sells yet, the newest stand first, so that there is always something to show.
_BEST = """
    WITH lately AS (
        SELECT product_id, count(*) AS ever, count(*) FILTER (WHERE at > %(selling_since)s) AS people
        FROM ({last}) AS last
        WHERE NOT EXISTS (SELECT FROM crm_contact AS c WHERE c.id = last.contact_id AND c.is_test)
        GROUP BY product_id
    ),
    ranked AS (
        SELECT g.id, g.category, COALESCE(people, 0) AS people,
            row_number() OVER w AS overall,
            row_number() OVER (PARTITION BY g.category ORDER BY {order}) AS inside
        FROM rk_goods AS g LEFT JOIN lately ON lately.product_id = g.id
        WHERE g.may_be_shown WINDOW w AS (ORDER BY {order})
    )
    INSERT INTO campaigns_bestseller (category, place, product_id, people)
    SELECT '', overall, id, people FROM ranked WHERE overall <= %(best)s
    UNION ALL
    SELECT category, inside, id, people FROM ranked WHERE inside <= %(best_of_category)s AND category <> ''
"""
_LAST_KEPT = """
    SELECT contact_id, product_id, last_at AS at FROM crm_bought
    WHERE last_at > %(bought_since)s AND last_at <= %(now)s
"""
_LAST_COUNTED = """
    SELECT l.contact_id, l.product_id, max(l.occurred_at) AS at
    FROM crm_orderline AS l JOIN crm_order AS o ON o.id = l.order_id AND o.status <> 'cancelled'
    WHERE l.occurred_at > %(bought_since)s AND l.occurred_at <= %(now)s AND l.product_id IS NOT NULL
    GROUP BY 1, 2
"""


def best(whole: bool) -> str:
    """What most people bought. `whole`: when each person last bought what is kept for all of them."""
    return _BEST.format(
        last=_LAST_KEPT if whole else _LAST_COUNTED,
        order="people DESC NULLS LAST, ever DESC NULLS LAST, g.created_at DESC, g.id",
    )
