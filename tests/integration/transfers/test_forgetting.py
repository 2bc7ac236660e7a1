"""A person who is forgotten is not named by the transfers of their points either."""

from pathlib import Path

import pytest

from gateway.app.records.erase import erase
from gateway.service.transfers.moves import TransfersUnderWay
from tests.fakes.corridors import DESTINATION, SOURCE, between_cities, transfer_id
from tests.fakes.searching import found_in, spellings
from tests.fakes.serving import audited_once_free

pytestmark = pytest.mark.xdist_group("transfers")
LEAVING, ARRIVING = f"{SOURCE}-00001", f"{DESTINATION}-00001"


def test_each_end_of_a_move_is_forgotten_with_its_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with between_cities(tmp_path, monkeypatch) as between:
        corridor, name = between.corridor(), transfer_id()
        between.start(between.quote(30), name=name)
        with pytest.raises(TransfersUnderWay, match=name):
            erase(between.home, LEAVING, platform=corridor.source)
        with between.carried():
            before = between.until(name, "committed")

        erased = erase(between.home, LEAVING, platform=corridor.source)

        assert erased.transfers == 1
        assert found_in(spellings(LEAVING), between.home) == []
        assert found_in(spellings(ARRIVING), between.home) != []
        assert between.show(name) == before

        erase(between.home, ARRIVING, platform=corridor.destination)

        assert found_in(spellings(ARRIVING), between.home) == []
        assert between.show(name) == before
        assert audited_once_free(between.home).differences == []
