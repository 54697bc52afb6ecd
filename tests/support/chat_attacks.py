"""What a customer writes to call people, to hide a link or to show a picture, on some chat service."""

EVIL = [
    "@everyone", "@EVERYONE", "@Here", "(@all)", "@channel.", "x @room", "\\@everyone", "*@here*",
    "\u202e@all", "@every\u200bone", "@ada_lovelace", "@ada@social.example.com",
    "<@1>", "<@!1>", "<@&1>", "<#1>", "</ban:1>", "<a:wave:1>", "<t:0>", "<id:home>", "<@all>",
    "<!channel>", "<!here|x>", "<!subteam^S1>", "<!date^1^{date}^https://evil.example.com|x>", "<@U024BE7LH>",
    "<users/all>", '<at user_id="all"></at>', "<at>all</at>", '<at id="0">x</at>',
    "[x](https://evil.example.com)", "![x](https://evil.example.com/a.png)", "[x](<https://evil.example.com>)",
    "[x](tg://user?id=1)", "[x][1]\n\n[1]: https://evil.example.com", "[https://a.org](https://evil.example.com)",
    "[x\n](https://evil.example.com)", "<https://evil.example.com|x>", "<mailto:a@b.example|x>",
    '<a href="https://evil.example.com">x</a>', '<a href="tg://user?id=1">x</a>',
    '<a href="https://matrix.to/#/@ada:matrix.example.com">x</a>', "{{DATE(2026-01-01T00:00:00Z, SHORT)}}",
    "https://example.com/@everyone", "https://example.com/<!here>",
]  # fmt: skip
