"""The demo's own pages in the admin: to save one here is to send what the rules say."""

from django.contrib import admin
from django.db.models import URLField

from notifier.admin.lookups import ModelAdmin

from .models import FlashSale, Movie, Post, Profile


@admin.register(FlashSale)
class FlashSaleAdmin(ModelAdmin):
    list_display = ["title", "discount_percent", "ends_at", "url"]
    ordering = ["-pk"]
    search_fields = ["title"]
    # Django 6 does so by itself, and until then warns that it will.
    formfield_overrides = {URLField: {"assume_scheme": "https"}}


@admin.register(Post)
class PostAdmin(ModelAdmin):
    list_display = ["title"]
    ordering = ["-pk"]
    search_fields = ["title"]


@admin.register(Movie)
class MovieAdmin(ModelAdmin):
    list_display = ["title"]
    ordering = ["-pk"]
    search_fields = ["title"]
    autocomplete_fields = ["audiences"]


@admin.register(Profile)
class ProfileAdmin(ModelAdmin):
    list_display = ["user", "phone"]
    ordering = ["user__username"]
    search_fields = ["user__username", "phone"]
    autocomplete_fields = ["user"]
