"""Addresses that messages point to."""

from django.urls import path, re_path

from campaigns import views

urlpatterns = [
    path("s/<str:token>", views.survey, name="survey"),
    re_path(
        r"^i/(?P<token>[0-9a-f]{32})-(?P<width>[1-9][0-9]{0,4})\.(?P<extension>jpg|png)$",
        views.image,
        name="image",
    ),
]
