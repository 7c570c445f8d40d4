"""Addresses that messages point to, and of the API of campaigns."""

from django.urls import path, re_path

from campaigns import views
from campaigns.api import api

urlpatterns = [
    path("api/v1/", api.urls),
    path("s/<str:token>", views.survey, name="survey"),
    re_path(
        r"^i/(?P<token>[0-9a-f]{32})-(?P<width>[1-9][0-9]{0,4})\.(?P<extension>jpg|png)$",
        views.image,
        name="image",
    ),
]
