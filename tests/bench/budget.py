"""What a function is compared to where its provider takes its time."""

# What SES takes to answer, and the calls that a function is to have in flight meanwhile.
PROVIDER_SECONDS, IN_FLIGHT = 0.05, 16
