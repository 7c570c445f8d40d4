"""The price memory begins with what the catalogue says today."""

from django.db import migrations

REMEMBER = """
INSERT INTO crm_pricechange (id, product_id, price, list_price, currency, occurred_at, recorded_at)
SELECT (substr(encode(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 'hex'), 5, 12) || '7'
        || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid,
    p.id, p.price, p.list_price, p.currency,
    LEAST(COALESCE(p.source_at, p.created_at), p.updated_at), p.updated_at
FROM crm_product p
WHERE p.price IS NOT NULL AND NOT EXISTS (SELECT FROM crm_pricechange c WHERE c.product_id = p.id)
"""


class Migration(migrations.Migration):
    dependencies = [("crm", "0011_price_memory")]

    operations = [migrations.RunSQL(REMEMBER, migrations.RunSQL.noop)]
