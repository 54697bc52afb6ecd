"""What one asks AWS for where an account allows too little."""

# New accounts have 10 functions at a time, all of them together, and AWS lets nobody reserve the last ones:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MORE_CONCURRENCY = (
    "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 "
    "--desired-value 1000"
)
