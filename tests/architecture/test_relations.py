"""Tables point downwards: crm <- tracking <- campaigns, also where a relation is given as a string."""

import pytest
from django.apps import apps
from django.db import models

from tests.architecture.sources import LAYERS

OURS = [model for app in LAYERS for model in apps.get_app_config(app).get_models(include_auto_created=True)]


def relations(model):
    return [field for field in model._meta.get_fields() if field.is_relation and not field.auto_created]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_a_relation_points_to_its_own_app_or_one_below(model):
    upward = [
        f"{field.name} to {field.related_model._meta.label}"
        for field in relations(model)
        if field.related_model is not None
        and LAYERS.get(field.related_model._meta.app_label, -1) > LAYERS[model._meta.app_label]
    ]
    assert upward == []


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_no_relation_is_generic(model):
    generic = [field.name for field in relations(model) if field.related_model is None]
    assert generic == []


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_no_column_takes_the_time_by_itself(model):
    stamped = [
        field.name
        for field in model._meta.local_fields
        if isinstance(field, models.DateField) and (field.auto_now or field.auto_now_add)
    ]
    assert stamped == []
