"""Every block there is, for somebody with everything and somebody with nothing: sound, small and ours."""

import pytest

from campaigns.messages.kinds import blocks
from tests.campaigns.gallery import all_blocks, check, for_everybody, params_of, version_of

FOOTER = "campaigns.footer"


@pytest.mark.parametrize("key", [*(kind.key for kind in blocks), "all of them"])
def test_a_block_is_sound_small_and_speaks_of_nobody_elses_host(key, db):
    if key == "all of them":
        stored = all_blocks()
    else:
        stored = [{"kind": key, "params": params_of(blocks.get(key))}]
        if key != FOOTER:
            stored.append({"kind": FOOTER, "params": blocks.get(FOOTER).blank()})
    for shown in for_everybody(version_of(*stored)):
        check(shown)
