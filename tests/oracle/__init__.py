"""A second ledger of transfers, to compare the real one with.

It was written from the text of the protocol alone, by the plainest means: a list of what happened, and
every balance worked out anew from the whole list. It is far too slow to serve anybody. Use it so:

1. Write a thin adapter: an object with ``apply(operation) -> Outcome`` and ``state() -> State``
   (``operations.Ledger``). It turns each operation into calls of your ledger, and your refusals into
   ``Outcome(code)``. A lot that has moved goes by its path (``L>B``, ``L>B>C``), so that parts of one
   record which went the same way are one lot: an adapter over a ledger which keeps one row per transfer
   adds those rows up. Leave zeros out of the state. An adapter which cannot tell some part of the state
   names the parts it can in ``compare``.
2. ``agreement.disagreement(seed, make_ledger)`` draws the programme of that seed, gives it to both and
   answers with the first difference, or ``None``. The same seed draws the same programme for ever.
   ``without`` leaves corners out (``programmes.CORNERS``).
3. ``agreement.shortened(difference, make_ledger)`` leaves out what the difference does not need.

A ready test::

    @pytest.mark.parametrize("seed", agreement.seeds())
    def test_both_ledgers_agree(seed: int) -> None:
        assert agreement.disagreement(seed, RealLedger) is None

The modules: ``operations`` what can be said, ``naive_recognition`` the arithmetic, ``history`` the list and
its questions, ``naive_ledger`` the rules and their order, ``naive_invariants`` what must hold after each
operation, ``programmes`` the generator, ``agreement`` the driver, ``examples`` small worlds for tests.

Where the protocol's text is silent, the oracle reads it so:

- All limits and the position count recognised mg. Position, cap and cover belong to an ordered pair of
  platforms; the limit of a platform counts all that leaves it. A limit's day is the day of acceptance;
  what is aborted no longer counts; a return neither uses nor frees a limit, nor does it change the
  position which the cap bounds. It is part of the window's nets.
- What is recognised and issued for a part is what the whole that moved so far is due, less what was
  given. Beside undecided parts of the same lot it is the most that cannot exceed the whole whichever
  of them are aborted; points burned are the least that cannot fall below it. Parts of a record which
  moved on keep the worth of the whole act, so that a tenth of an act is never compared with a whole.
- What is recognised as nothing is below any minimum, and an empty or negative part is ``malformed``.
- A return names mg of what was recognised and leaves everything as though only the rest had ever moved:
  the original lot gets back what the rest does not need, unrecognised mg included, with the points
  that the rest would not have burned, save those spent at home. So the order in which parts went and
  came does not matter, and moving and returning in turn brings no gain by rounding.
- Redeemed points end the use of their part; its mg stay with the platform. Retired mg leave.
- A lot is good on the day it expires. One that would arrive already expired does not move. The
  destination's rule counts from the day of the act.
- Pauses, suspensions, disputes and days concern reservations; a decision is made all the same.
- Settling a window whose credits later moves have used would leave a position above its cap: it is
  refused with ``position-limit`` until those moves' windows settle first. An aborted settlement is
  final for its window, and what it holds goes on counting.
- Codes beside those of the checks: ``malformed``, ``idempotency-conflict``, ``already-claimed``,
  ``unknown-transfer``, ``decided-otherwise``, ``not-returnable``, ``return-above-original``,
  ``return-spent``, ``unknown-window``, ``window-state``.
"""
