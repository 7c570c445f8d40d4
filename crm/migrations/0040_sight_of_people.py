from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm', '0039_sight_of_addresses'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='sight',
            options={'verbose_name': 'sight of people', 'verbose_name_plural': 'sights of people'},
        ),
        migrations.AddField(
            model_name='sight',
            name='people',
            field=models.CharField(choices=[('everybody', 'everybody'), ('unowned', "their own people, and nobody's"), ('own', 'their own people')], db_default='everybody', default='everybody', help_text='Their own: people whose owner they are, or of whom they have an open lead, a hand-over to answer or a task to do; and those of colleagues for whom they stand in.', max_length=9),
        ),
    ]
