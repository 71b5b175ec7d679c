"""The script of the survey's page, in a small JavaScript engine: it can be read, and what is shown is in the address.

What it does with the page needs a browser: tests/page.
"""

import json
import re
from urllib.parse import quote

import quickjs
from hypothesis import given
from hypothesis import strategies as st

from anchoring.showing.page import survey, write_page

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def script_of(folder):
    write_page(folder / "index.html", "survey.html.jinja", version="1", **survey([], [], True))
    (script,) = re.findall("<script>(.*)</script>", (folder / "index.html").read_text(), re.DOTALL)
    return script


def functions(folder):
    """The part of the script that does not need a page, ready to be called."""
    pure = script_of(folder).partition("// What is shown")[2].partition("// --- the page")[0]
    context = quickjs.Context()
    context.eval(f"//{pure}")
    return lambda name, *values: json.loads(
        context.eval(f"JSON.stringify({name}({', '.join(map(json.dumps, values))}))")
    )


def test_the_whole_script_can_be_read(tmp_path):
    script = script_of(tmp_path)
    assert quickjs.Context().eval(f"typeof new Function({json.dumps(script)})") == "function"
    assert len(script) < 16_000


def test_what_is_shown_comes_back_from_the_address(tmp_path_factory):
    call = functions(tmp_path_factory.mktemp("page"))

    @given(
        place=TEXTS.map(quote),
        shown=st.dictionaries(st.sampled_from(["text", "show", "band"]), st.lists(TEXTS, min_size=1)),
    )
    def comes_back(place, shown):
        fragment = call("writeFragment", place, shown)
        expected = {"place": place, "shown": shown or None}
        assert {"shown": None, **call("readFragment", fragment)} == expected

    comes_back()


def test_addresses_that_nobody_has_written_are_read_as_far_as_they_can_be(tmp_path):
    call = functions(tmp_path)
    assert call("readFragment", "a/b") == {"place": "a/b", "shown": None}
    assert call("readFragment", "?show=%E0%A4%A&x&=&band=F770W,F1") == {
        "place": "",
        "shown": {"show": ["%E0%A4%A"], "band": ["F770W", "F1"]},
    }
    assert call("writeFragment", "a", {"text": [], "band": []}) == "a"


def test_images_are_those_that_fit_all_that_is_asked_for(tmp_path):
    call = functions(tmp_path)
    image = {"target": "NGC0628", "band": "F770W", "marks": "flagged gradient few_bins"}
    nothing = {"text": [], "show": [], "band": []}
    fitting = [{}, {"text": [" ngc06 "]}, {"show": ["gradient"]}, {"show": ["flagged"]}, {"band": ["F1000W", "F770W"]}]
    others = [{"text": ["ic"]}, {"show": ["anchored"]}, {"show": ["few"]}, {"band": ["F770"]},
              {"text": ["ngc"], "band": ["F1000W"]}]  # fmt: skip
    assert all(call("isAskedFor", image, nothing | asked) for asked in fitting)
    assert not any(call("isAskedFor", image, nothing | asked) for asked in others)
