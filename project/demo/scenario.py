"""The events of the demo: a sale is created, a post is written and corrected, a movie's audiences are
told.
"""

import datetime as dt

from django.contrib.auth import get_user_model
from django.utils import timezone

from .models import FlashSale, Movie, Post
from .rules import CINEMA
from .signals import notify_audiences


def create_flash_sale():
    return FlashSale.objects.create(
        title="48 hours of linen",
        discount_percent=30,
        description="shirts & sheets, while they last",
        ends_at=timezone.now().replace(hour=22, minute=0, second=0, microsecond=0) + dt.timedelta(days=2),
        url="https://shop.example.com/linen",
    )


def write_post():
    post = Post.objects.create(title=f"How we dye linen, {timezone.now():%j-%H%M%S}")
    post.body = "A correction, which nobody needs to hear of."
    post.save()
    return post


def announce_movie():
    movie = Movie.objects.create(title="The Third Man")
    movie.audiences.set(get_user_model().objects.filter(username__in=CINEMA))
    notify_audiences.send(sender=Movie, movie=movie)
    return movie


def play():
    """All of it, once."""
    create_flash_sale()
    write_post()
    announce_movie()
