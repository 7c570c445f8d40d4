import crm.kernel.clock
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

APPROVE = "May approve that a colleague launches a campaign to more than 10,000 people"


def rename_the_permission(apps, schema_editor):
    """One that is there already keeps its old name otherwise: Django names only new ones."""
    named = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="campaigns", codename="approve_launch"
    )
    named.update(name=APPROVE)


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('campaigns', '0023_letters'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='campaign',
            options={'permissions': [('launch_campaign', 'May launch a campaign to more than 500 people'), ('approve_launch', APPROVE), ('call_webhooks', 'May put webhooks into campaigns')]},
        ),
        migrations.RunPython(rename_the_permission, migrations.RunPython.noop),
        migrations.CreateModel(
            name='LaunchRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'asked to launch'), ('approved', 'approved'), ('sent_back', 'sent back'), ('withdrawn', 'withdrawn'), ('void', 'void: it was changed')], default='open', max_length=9)),
                ('asked_by', models.CharField(help_text='As they are called; stays when they leave.', max_length=150)),
                ('asked_at', models.DateTimeField(default=crm.kernel.clock.now)),
                ('seal', models.CharField(max_length=64)),
                ('people', models.PositiveIntegerField(help_text='Blank: it could not be counted.', null=True)),
                ('existing_a_day', models.PositiveIntegerField(null=True)),
                ('answered_by', models.CharField(blank=True, max_length=150)),
                ('answered_at', models.DateTimeField(null=True)),
                ('words', models.CharField(blank=True, help_text='Why it was sent back.', max_length=300)),
                ('answerer', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('asker', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='launch_requests', to='campaigns.campaign')),
                ('editor', models.ForeignKey(db_index=False, help_text='Who had changed the campaign last when it was asked for.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('campaign',), name='one_open_launch_request'), models.CheckConstraint(condition=models.Q(models.Q(('asker', models.F('answerer')), ('state', 'approved'), _negated=True), models.Q(('editor', models.F('answerer')), ('state', 'approved'), _negated=True)), name='nobody_approves_their_own_launch')],
            },
        ),
    ]
