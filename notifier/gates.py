"""Whether a delivery may go at all, and whether it may go now. Next hop: ``composing`` for those that may.

Note [before the claim wins]: gates ask after the claim, so whatever was committed before it (an opt-out, a bounce) is seen, and from the
claim on nobody else sends this delivery.

A gate is ``gate(candidates, channel)`` and returns a list alongside: None where it has nothing against it, or a SendError. A candidate has
``event_id``, ``subscription_id``, ``recipient``, ``address`` and ``time_zone``: a ``deliveries.Work``, or an unsaved ``Delivery``.
A gate costs at most one query for all candidates together.
"""

from .preferences import consent, quiet_hours

# What decides for good: they raise Skipped. The fan-out asks them too, so that nobody rings for what will not be sent.
FINAL_GATES = [
    consent.refuse_opted_out,
]
# What depends on the moment; asked when it is to be sent, and not before.
TIMELY_GATES = [
    quiet_hours.wait_for_the_end,
]


def ask_final(candidates, channel):
    """For each candidate the first gate's Skipped, or None."""
    return _ask(FINAL_GATES, candidates, channel)


def ask_all(candidates, channel):
    """For each candidate the first gate's SendError, or None."""
    return _ask([*FINAL_GATES, *TIMELY_GATES], candidates, channel)


def _ask(gates, candidates, channel):
    answers = [None] * len(candidates)
    for gate in gates:
        still = [position for position, answer in enumerate(answers) if answer is None]
        if not still:
            break
        found = gate([candidates[position] for position in still], channel)
        for position, answer in zip(still, found, strict=True):
            answers[position] = answer
    return answers
