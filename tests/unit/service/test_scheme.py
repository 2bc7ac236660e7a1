"""A scheme can be cut down to the versions that it once had."""

from gateway.app.base.mappings import shipped_programs
from gateway.service.mappings.catalogue import scheme_of
from tests.fakes.homes import WUHAN


def test_a_scheme_of_the_versions_that_it_once_had_is_what_it_was() -> None:
    scheme = scheme_of([program for program in shipped_programs() if program.id == WUHAN])
    first, *later = (program.digest for program in scheme.programs)

    assert later
    assert scheme.only({first}).programs == scheme.programs[:1]
    assert scheme.only({first, *later}).programs == scheme.programs


def test_where_one_of_them_is_gone_the_versions_of_the_day_count() -> None:
    scheme = scheme_of([program for program in shipped_programs() if program.id == WUHAN])

    assert scheme.only({scheme.programs[0].digest, "0" * 64}) is scheme
    assert scheme.only(()) is scheme
