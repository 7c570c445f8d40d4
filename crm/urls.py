"""Addresses of the public pages and of the API."""

from django.urls import path

from crm import views
from crm.api import api

urlpatterns = [
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
    path("p/<str:token>", views.choose, name="preferences"),
    path("why/<str:token>", views.why, name="why"),
    path("look.css", views.look, name="look"),
    path("api/v1/", api.urls),
]
