"""The demo's own pages in the admin."""

from django.contrib import admin

from .models import FlashSale, Movie, Post, Profile


@admin.register(FlashSale)
class FlashSaleAdmin(admin.ModelAdmin):
    list_display = ["title", "discount_percent", "ends_at"]


@admin.register(Post)
class PostAdmin(admin.ModelAdmin):
    list_display = ["title"]


@admin.register(Movie)
class MovieAdmin(admin.ModelAdmin):
    list_display = ["title"]
    filter_horizontal = ["audiences"]


@admin.register(Profile)
class ProfileAdmin(admin.ModelAdmin):
    list_display = ["user", "phone"]
