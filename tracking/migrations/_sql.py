"""What the models do not say of the database: the events by month, and how a value of an address is read."""

EVENTS = """
CREATE TABLE tracking_event (
    id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    is_backfill boolean NOT NULL,
    contact_id uuid NOT NULL REFERENCES crm_contact (id) DEFERRABLE INITIALLY DEFERRED,
    visitor_id uuid NULL,
    kind varchar(30) NOT NULL,
    url varchar(1000) NOT NULL,
    product_id uuid NULL,
    ref uuid NULL,
    actor varchar(12) NOT NULL,
    props jsonb NOT NULL,
    PRIMARY KEY (id, occurred_at)
) PARTITION BY RANGE (occurred_at);
CREATE TABLE tracking_event_rest PARTITION OF tracking_event DEFAULT;
"""

# Owned by whoever migrates, run by the application, which may not create tables itself.
# A month that already has rows in the default partition stays there.
MAKE_PARTITION = """
CREATE FUNCTION tracking_make_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    following date := (date_trunc('month', month) + interval '1 month')::date;
    partition text := 'tracking_event_' || to_char(first, 'YYYY_MM');
BEGIN
    IF to_regclass('public.' || partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT 1 FROM public.tracking_event_rest
               WHERE occurred_at >= first::timestamp AT TIME ZONE 'UTC'
                 AND occurred_at < following::timestamp AT TIME ZONE 'UTC') THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE public.%I PARTITION OF public.tracking_event FOR VALUES FROM (%L) TO (%L)',
                   partition, first::timestamp AT TIME ZONE 'UTC', following::timestamp AT TIME ZONE 'UTC');
    RETURN true;
END $$;
"""

# A value of an address as a person reads it; what is not UTF-8, or holds a zero, stays as it was told.
DECODED = r"""
CREATE FUNCTION tracking_decoded(told text) RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN bytes ~ ('^(0[1-9a-f]|[1-7][0-9a-f]|c[2-9a-f][89ab][0-9a-f]|d[0-9a-f][89ab][0-9a-f]'
            || '|e0[ab][0-9a-f][89ab][0-9a-f]|e[1-9a-cef]([89ab][0-9a-f]){2}|ed[89][0-9a-f][89ab][0-9a-f]'
            || '|f0[9ab][0-9a-f]([89ab][0-9a-f]){2}|f[123]([89ab][0-9a-f]){3}|f48[0-9a-f]([89ab][0-9a-f]){2})*$')
        THEN convert_from(decode(bytes, 'hex'), 'UTF8') ELSE told END
    FROM (
        SELECT lower(COALESCE(string_agg(
            CASE WHEN length(found[1]) = 3 THEN substr(found[1], 2) ELSE encode(convert_to(found[1], 'UTF8'), 'hex') END,
            '' ORDER BY place), '')) AS bytes
        FROM regexp_matches(replace(told, '+', ' '), '%[0-9a-fA-F]{2}|.', 'g') WITH ORDINALITY AS part (found, place)
    ) AS read
$$;
"""


def make_partitions(apps, schema_editor):
    """This month, the year behind it and the two months ahead."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT tracking_make_partition((date_trunc('month', CURRENT_DATE) + make_interval(months => m))::date)"
            " FROM generate_series(-13, 2) AS m"
        )
