"""All tables of tracking as they were after 0007, in one step for a new database; one that has begun goes step by step."""

import crm.kernel.clock
import crm.kernel.ids
import django.db.models.deletion
from django.db import migrations, models

from tracking.migrations import _sql


class Migration(migrations.Migration):

    replaces = [('tracking', '0001_initial'), ('tracking', '0002_lists'), ('tracking', '0003_who'), ('tracking', '0004_rollups'), ('tracking', '0005_replies'), ('tracking', '0006_landings'), ('tracking', '0007_event_kind')]

    initial = True

    dependencies = [
        ('crm', '0001_squashed_0041_outside_ids_of_people'),
    ]

    operations = [
        migrations.CreateModel(
            name='Link',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('url', models.CharField(max_length=2000)),
                ('sha256', models.BinaryField(max_length=32, unique=True)),
                ('created_at', models.DateTimeField(default=crm.kernel.clock.now)),
            ],
        ),
        migrations.CreateModel(
            name='Refusal',
            fields=[
                ('pk', models.CompositePrimaryKey('on_day', 'door', 'reason', blank=True, editable=False, primary_key=True, serialize=False)),
                ('on_day', models.DateField()),
                ('door', models.CharField(max_length=20)),
                ('reason', models.CharField(max_length=60)),
                ('count', models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='UnrolledMonth',
            fields=[
                ('month', models.DateField(primary_key=True, serialize=False)),
            ],
        ),
        migrations.CreateModel(
            name='Cart',
            fields=[
                ('id', models.UUIDField(default=crm.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('source', models.CharField(default='script', max_length=40)),
                ('token', models.CharField(max_length=100)),
                ('checkout_id', models.CharField(blank=True, max_length=100)),
                ('visitor_id', models.UUIDField(blank=True, null=True)),
                ('state', models.CharField(choices=[('open', 'open'), ('bought', 'bought'), ('emptied', 'emptied'), ('expired', 'forgotten')], default='open', max_length=8)),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('url', models.CharField(blank=True, max_length=1000)),
                ('total', models.DecimalField(decimal_places=2, default=0, help_text='Of the priced lines.', max_digits=12)),
                ('item_count', models.PositiveIntegerField(default=0)),
                ('has_priced_line', models.BooleanField(default=False)),
                ('opened_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('recorded_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('order_id', models.UUIDField(blank=True, null=True)),
                ('restored_at', models.DateTimeField(blank=True, null=True)),
                ('restored_ref', models.UUIDField(blank=True, help_text='The delivery whose link brought it back.', null=True)),
                ('contact', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='carts', to='crm.contact')),
            ],
            options={
                'indexes': [models.Index(fields=['contact', '-opened_at'], name='cart_contact_time'), models.Index(condition=models.Q(('state', 'open')), fields=['changed_at'], name='cart_open'), models.Index(fields=['token'], name='cart_token'), models.Index(fields=['-changed_at', '-id'], name='cart_newest'), models.Index(fields=['state', '-changed_at', '-id'], name='cart_state'), models.Index(condition=models.Q(('checkout_id', ''), _negated=True), fields=['checkout_id'], name='cart_checkout')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('contact', 'source', 'token'), name='one_open_cart_a_token')],
            },
        ),
        migrations.CreateModel(
            name='CartLine',
            fields=[
                ('id', models.UUIDField(default=crm.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('external_id', models.CharField(blank=True, max_length=200, verbose_name="shop's id")),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('name', models.CharField(max_length=300)),
                ('url', models.CharField(blank=True, max_length=1000)),
                ('image_url', models.CharField(blank=True, max_length=1000)),
                ('price', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True)),
                ('quantity', models.DecimalField(decimal_places=2, default=1, max_digits=10)),
                ('cart', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='tracking.cart')),
                ('contact', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crm.contact')),
                ('product', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='crm.product')),
            ],
            options={
                'ordering': ['position', 'id'],
                'indexes': [models.Index(fields=['contact', 'cart'], name='cart_line_contact')],
            },
        ),
        migrations.CreateModel(
            name='DailyCount',
            fields=[
                ('id', models.UUIDField(default=crm.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('on_day', models.DateField()),
                ('kind', models.CharField(help_text='Of an own event: custom, a colon, its name.', max_length=60)),
                ('product_id', models.UUIDField(blank=True, null=True)),
                ('category', models.CharField(blank=True, max_length=200)),
                ('brand', models.CharField(blank=True, max_length=120)),
                ('number', models.PositiveIntegerField(default=0)),
                ('contact', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crm.contact')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('category', ''), _negated=True), fields=['category', 'kind', 'on_day'], include=('contact', 'number'), name='daily_category'), models.Index(condition=models.Q(('brand', ''), _negated=True), fields=['brand', 'kind', 'on_day'], include=('contact', 'number'), name='daily_brand'), models.Index(condition=models.Q(('product_id__isnull', False)), fields=['product_id', 'kind', 'on_day'], include=('contact', 'number'), name='daily_product'), models.Index(fields=['kind', 'on_day'], include=('contact', 'number'), name='daily_kind')],
                'constraints': [models.UniqueConstraint(fields=('contact', 'on_day', 'kind', 'product_id', 'category', 'brand'), name='one_count_a_day', nulls_distinct=False)],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(_sql.EVENTS, "DROP TABLE tracking_event"),
                migrations.RunSQL(_sql.MAKE_PARTITION, "DROP FUNCTION tracking_make_partition(date)"),
                migrations.RunPython(_sql.make_partitions, migrations.RunPython.noop),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='Event',
                    fields=[
                        ('id', models.UUIDField(default=crm.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('occurred_at', models.DateTimeField(default=crm.kernel.clock.now, help_text='When it happened.')),
                        ('recorded_at', models.DateTimeField(default=crm.kernel.clock.now, help_text='When we came to know of it.')),
                        ('is_backfill', models.BooleanField(default=False, help_text='Loaded later from history.')),
                        ('visitor_id', models.UUIDField(blank=True, null=True)),
                        ('kind', models.CharField(choices=[('page', 'looked at a page'), ('product', 'looked at a product'), ('favourite', 'saved a product'), ('search', 'searched'), ('cart', 'changed the cart'), ('checkout', 'went to the checkout'), ('identify', 'gave their address'), ('open', 'opened a message'), ('click', 'clicked in a message'), ('landing', 'arrived from a message'), ('restore', 'brought a cart back'), ('reply', 'answered a message'), ('custom', "did something of the shop's own")], max_length=30)),
                        ('url', models.CharField(blank=True, max_length=1000)),
                        ('product_id', models.UUIDField(blank=True, null=True)),
                        ('ref', models.UUIDField(blank=True, null=True)),
                        ('actor', models.CharField(choices=[('human', 'a person'), ('likely_human', 'probably a person'), ('proxy', 'an image proxy'), ('machine', 'a machine'), ('unknown', 'not known')], default='human', max_length=12)),
                        ('props', models.JSONField(blank=True, default=dict)),
                        ('contact', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='crm.contact')),
                    ],
                ),
            ],
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['contact', '-occurred_at'], name='event_contact_time'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['kind', '-id'], name='event_kind'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('ref__isnull', False)), fields=['ref'], name='event_ref'),
        ),
        migrations.CreateModel(
            name='InboundEvent',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('source', models.CharField(help_text='collect, open, click, api, shopify…', max_length=40)),
                ('event_key', models.CharField(blank=True, max_length=200)),
                ('received_at', models.DateTimeField(default=crm.kernel.clock.now)),
                ('body', models.JSONField()),
                ('state', models.CharField(choices=[('new', 'waiting'), ('applied', 'applied'), ('parked', 'parked with an error')], default='new', max_length=8)),
                ('error', models.TextField(blank=True)),
                ('has_order', models.BooleanField(default=False)),
                ('visitor_id', models.UUIDField(blank=True, null=True)),
                ('cart_token', models.CharField(blank=True, max_length=100)),
                ('address_hash', models.BinaryField(max_length=32, null=True)),
                ('origin', models.CharField(blank=True, max_length=200)),
                ('ip_truncated', models.CharField(blank=True, max_length=45)),
                ('user_agent', models.CharField(blank=True, max_length=300)),
                ('sanitised', models.BooleanField(default=False)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'new')), fields=['id'], name='inbound_waiting'), models.Index(condition=models.Q(('has_order', True), ('state', 'new')), fields=['visitor_id'], name='inbound_order'), models.Index(fields=['received_at'], name='inbound_age'), models.Index(condition=models.Q(('state', 'parked')), fields=['id'], name='inbound_parked')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('event_key', ''), _negated=True), fields=('source', 'event_key'), name='one_row_an_inbound_key')],
            },
        ),
        migrations.CreateModel(
            name='Visit',
            fields=[
                ('id', models.UUIDField(default=crm.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('visitor_id', models.UUIDField(blank=True, null=True)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField()),
                ('recorded_at', models.DateTimeField(help_text='When we knew of its last act.')),
                ('acts', models.PositiveIntegerField(default=0)),
                ('pages', models.PositiveIntegerField(default=0, help_text='Different pages looked at.')),
                ('products', models.PositiveIntegerField(default=0, help_text='Different products looked at.')),
                ('seconds', models.PositiveIntegerField(default=0)),
                ('source', models.CharField(blank=True, help_text='utm_source, in small letters.', max_length=120)),
                ('medium', models.CharField(blank=True, max_length=120)),
                ('campaign', models.CharField(blank=True, max_length=200)),
                ('is_ad', models.BooleanField(default=False, help_text='Came by a paid advertisement.')),
                ('referrer', models.CharField(blank=True, help_text='The host that sent them.', max_length=253)),
                ('entry_url', models.CharField(blank=True, max_length=1000)),
                ('exit_url', models.CharField(blank=True, max_length=1000)),
                ('contact', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='visits', to='crm.contact')),
            ],
            options={
                'indexes': [models.Index(fields=['contact', '-started_at'], name='visit_contact_time'), models.Index(fields=['started_at'], include=('contact',), name='visit_time')],
            },
        ),
        migrations.CreateModel(
            name='Visitor',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('trust', models.CharField(choices=[('anonymous', 'anonymous'), ('claimed', 'claimed, not proven'), ('signed', 'signed by the shop'), ('clicked', 'came by a confirmed click')], default='anonymous', max_length=10)),
                ('claimed_hash', models.BinaryField(max_length=32, null=True)),
                ('first_seen_at', models.DateTimeField(default=crm.kernel.clock.now)),
                ('last_seen_at', models.DateTimeField(default=crm.kernel.clock.now)),
                ('identity_changed_at', models.DateTimeField(blank=True, help_text='Only what happened since then can be adopted by the next identity.', null=True)),
                ('user_agent', models.CharField(blank=True, max_length=300)),
                ('contact', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='visitors', to='crm.contact')),
            ],
            options={
                'indexes': [models.Index(fields=['contact'], name='visitor_contact')],
            },
        ),
        migrations.CreateModel(
            name='VisitorCart',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('source', models.CharField(default='script', max_length=40)),
                ('token', models.CharField(max_length=100)),
                ('checkout_id', models.CharField(blank=True, max_length=100)),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('url', models.CharField(blank=True, max_length=1000)),
                ('lines', models.JSONField(default=list)),
                ('opened_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('visitor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='carts', to='tracking.visitor')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('visitor', 'source', 'token'), name='one_cart_a_visitor_token')],
            },
        ),
        migrations.CreateModel(
            name='VisitorEvent',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=30)),
                ('occurred_at', models.DateTimeField()),
                ('recorded_at', models.DateTimeField(default=crm.kernel.clock.now)),
                ('is_backfill', models.BooleanField(default=False)),
                ('url', models.CharField(blank=True, max_length=1000)),
                ('product_id', models.UUIDField(blank=True, null=True)),
                ('ref', models.UUIDField(blank=True, null=True)),
                ('actor', models.CharField(default='human', max_length=12)),
                ('props', models.JSONField(blank=True, default=dict)),
                ('visitor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='tracking.visitor')),
            ],
            options={
                'indexes': [models.Index(fields=['visitor', 'occurred_at'], name='visitor_event_time'), models.Index(fields=['recorded_at'], name='visitor_event_age')],
            },
        ),
        migrations.RunSQL(_sql.DECODED, "DROP FUNCTION tracking_decoded(text)"),
    ]
