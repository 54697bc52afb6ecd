"""What one asks AWS for where an account allows too little."""


def more_concurrency(region):
    """The command that asks for more functions at a time, which a quota bounds by region.

    New accounts have 10, all functions together, and AWS lets nobody reserve the last ones:
    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    return (
        "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 "
        f"--desired-value 1000 --region {region}"
    )
