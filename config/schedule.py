"""The default schedule: a periodic task for every tick, made where there is none, never changed after."""

from django_celery_beat.models import IntervalSchedule, PeriodicTask

from crm.ticking import ticks


def ensure() -> int:
    """Make the periodic tasks that are missing; a changed or switched-off one stays as people left it."""
    there = set(PeriodicTask.objects.values_list("task", flat=True))
    made = 0
    for job in ticks.values():
        if job.name in there:
            continue
        interval, _made = IntervalSchedule.objects.get_or_create(
            every=job.every, period=IntervalSchedule.SECONDS
        )
        PeriodicTask.objects.create(
            name=job.label, task=job.name, interval=interval, expire_seconds=max(job.every * 2, 10)
        )
        made += 1
    return made
