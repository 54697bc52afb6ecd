"""What a function is compared to where its provider takes its time."""

# What SES takes to answer, and the calls that a function is to have in flight meanwhile.
PROVIDER_SECONDS, IN_FLIGHT = 0.05, 16
# What SES lets a new account send a second: https://docs.aws.amazon.com/ses/latest/dg/quotas.html
CROWD_RATE = 14
