import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('crm', '0038_requests_of_people'),
    ]

    operations = [
        migrations.CreateModel(
            name='Sight',
            fields=[
                ('group', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='auth.group')),
                ('addresses', models.CharField(choices=[('whole', 'whole'), ('lists', 'masked in lists, whole on the page of a person'), ('never', 'masked everywhere')], default='whole', help_text='E-mail addresses and telephone numbers of people. Masked: a•••@d•••.example, found by the whole address alone. Files of lists have them whole.', max_length=8)),
            ],
            options={
                'verbose_name': 'sight of addresses',
                'verbose_name_plural': 'sights of addresses',
            },
        ),
    ]
