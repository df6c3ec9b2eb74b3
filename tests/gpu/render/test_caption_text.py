"""Characters of a caption: what is left out, what replaces it, how lines break and which way they run."""

import numpy as np
import pytest

from gpu.render.bidi import is_right_to_left, visual_order
from gpu.render.lettering import ELLIPSIS, MISSING, Lettering, cleaned


@pytest.fixture(scope="module")
def letters() -> Lettering:
    return Lettering(20, 450)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  a \t b  ", "a b"),
        ("a\r\n\n \u2028b\n", "a\nb"),
        ("a\x0bb\x0cc\x85d", "a\nb\nc\nd"),
        ("a\x00\x1b\x7fb", "ab"),
        ("e\u0301 n\u0303", "é ñ"),
        ("Z\u0338\u0321\u034ba\u0338", "Za"),
        ("\u202eevil\u202c\u200f\u2066\ufeff", "evil"),
        ("\U0001f468\u200d\U0001f469\ufe0f", "\U0001f468\U0001f469"),
        ("x\ud800y", "x\ufffdy"),
        ("non\u00a0breaking\u3000wide", "non breaking wide"),
        ("\u0301", ""),
    ],
    ids=ascii,
)
def test_text_is_cleaned_to_plain_lines(text: str, kept: str) -> None:
    assert cleaned(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "Jalapeño Škoda Đặng İığ ŁÓDŹ ßœ",
        "Ёжик Україна ґ",
        "Ελληνικά ώ",
        "שלום",
        "日本語 中文 한국어",
        "“–—…€”·•?",
        "0Oo1lI",
    ],
)
def test_common_scripts_are_drawn_as_they_are(letters: Lettering, text: str) -> None:
    assert letters.readable(text) == text
    for char in text.replace(" ", ""):
        assert letters.coverage(char).max() > 127, char


@pytest.mark.parametrize("char", ["⚽", "\U0001f600", "\u0915", "\u0e01", "\ue000", "\U0010ffff", MISSING], ids=ascii)
def test_what_the_fonts_lack_becomes_a_visible_box(letters: Lettering, char: str) -> None:
    assert letters.readable(f"a{char}b\nc") == f"a{MISSING}b\nc"
    ink = letters.coverage(MISSING) > 127
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    assert rows[-1] - rows[0] + 1 == pytest.approx(14, abs=1)
    assert columns[-1] - columns[0] + 1 == pytest.approx(11, abs=1)
    assert not ink[(rows[0] + rows[-1]) // 2, (columns[0] + columns[-1]) // 2]


@pytest.mark.parametrize(
    ("text", "plain"), [("\U0001d54atyle", "Style"), ("ǎ", "a"), ("\ufb05", "st"), ("\U0001d7d9", "1")]
)
def test_a_missing_form_falls_back_to_its_plain_one(letters: Lettering, text: str, plain: str) -> None:
    assert letters.readable(text) == plain


def test_a_question_mark_is_no_missing_character(letters: Lettering) -> None:
    assert letters.readable("why?") == "why?"


def test_widths_add_up_and_grow_with_size_and_weight(letters: Lettering) -> None:
    assert letters.width("AVA") == pytest.approx(letters.width("AV") + letters.width("A"), abs=1)
    assert Lettering(40, 450).width("Corner") == pytest.approx(2 * letters.width("Corner"), abs=2)
    assert Lettering(20, 800).width("Corner") > letters.width("Corner")


def test_a_coverage_holds_the_text_where_its_pen_says(letters: Lettering) -> None:
    coverage = letters.coverage("HH")
    ink = np.flatnonzero((coverage > 127).any(axis=0))
    rows = np.flatnonzero((coverage > 127).any(axis=1))
    assert coverage.shape[1] == letters.width("HH") + 2 * letters.bearing
    assert letters.bearing < ink[0] < letters.bearing + 4
    assert letters.bearing + letters.width("HH") - 4 < ink[-1] < letters.bearing + letters.width("HH")
    assert rows[-1] == letters.ascent - 1


@pytest.mark.parametrize("width", [60, 100, 237, 400])
def test_lines_hold_the_words_and_no_more_than_the_width(letters: Lettering, width: int) -> None:
    words = ["Wins", "the", "ball", "high", "and", "beats", "two", "defenders", "on", "the", "outside"]
    lines = [line.text for line in letters.wrapped(" ".join(words), width, 99)]
    assert all(letters.width(line) <= width for line in lines)
    assert " ".join(lines).replace(" ", "") == "".join(words)
    starts = [line.split()[0] for line in lines[1:]]
    for line, start in zip(lines, starts, strict=False):
        assert letters.width(f"{line} {start}") > width


def test_words_are_whole_where_they_fit(letters: Lettering) -> None:
    lines = letters.wrapped("Corner kick taken short", letters.width("Corner kick t"), 9)
    assert [line.text for line in lines] == ["Corner kick", "taken short"]


def test_a_word_longer_than_a_line_is_broken(letters: Lettering) -> None:
    lines = letters.wrapped("W" * 50, letters.width("W" * 20), 9)
    assert [len(line.text) for line in lines] == [20, 20, 10]


def test_a_width_below_one_letter_still_ends(letters: Lettering) -> None:
    assert [line.text for line in letters.wrapped("abc", 1, 9)] == ["a", "b", "c"]
    assert letters.cut("abc", 1) == ELLIPSIS


def test_ideographs_and_hyphens_let_a_line_end(letters: Lettering) -> None:
    assert letters.wrapped("ab 日本語テキスト", letters.width("ab 日本語"), 9)[0].text == "ab 日本語"
    first = letters.wrapped("counter-attacking", letters.width("counter-attac"), 9)[0]
    assert first.text == "counter-"


def test_paragraphs_start_lines_of_their_own(letters: Lettering) -> None:
    assert [line.text for line in letters.wrapped("a\nb c\nd", 500, 9)] == ["a", "b c", "d"]


def test_an_ellipsis_ends_the_last_line_only_when_text_is_left(letters: Lettering) -> None:
    width = letters.width("one two")
    assert [line.text for line in letters.wrapped("one two one two", width, 2)] == ["one two", "one two"]
    first, last = (line.text for line in letters.wrapped("one two one two one two", width, 2))
    assert first == "one two"
    assert last.endswith(ELLIPSIS)
    assert "one two".startswith(last.removesuffix(ELLIPSIS))
    assert letters.width(last) <= width
    assert letters.wrapped("a\nb\nc", 500, 2)[-1].text == f"b{ELLIPSIS}"


def test_cut_text_keeps_as_much_as_fits(letters: Lettering) -> None:
    width = letters.width(f"Through{ELLIPSIS}")
    assert letters.cut("Through ball", width) == f"Through{ELLIPSIS}"
    assert letters.cut("Through", width) == "Through"


HEBREW = str.maketrans({chr(ord("A") + index): chr(0x5D0 + index) for index in range(26)})


@pytest.mark.parametrize(
    ("written", "shown", "right_to_left"),
    [
        ("car means CAR.", "car means RAC.", False),
        ("CAR MEANS car.", ".car SNAEM RAC", True),
        ("he said CAR 123, 45-6 GOALS ok", "he said SLAOG 45-6 ,123 RAC ok", False),
        ("CAR 1,5 AND 90+2", "90+2 DNA 1,5 RAC", True),
        ("CAR (GOAL) [x]", "[x] (LAOG) RAC", True),
        ("CAR 50%", "50% RAC", True),
        ("goal 12 CAR", "goal 12 RAC", False),
        ("left only 1-2", "left only 1-2", False),
        ("", "", False),
    ],
)
def test_characters_stand_in_the_order_of_their_scripts(written: str, shown: str, right_to_left: bool) -> None:
    """Upper case stands for Hebrew letters, as in UAX 9."""
    text = written.translate(HEBREW)
    assert is_right_to_left(text) == right_to_left
    assert visual_order(text, right_to_left) == shown.translate(HEBREW)


def test_numbers_after_arabic_letters_count_as_arabic() -> None:
    assert visual_order("\u0627 1-2", True) == "2-1 \u0627"


def test_a_wrapped_line_of_hebrew_is_turned_by_itself(letters: Lettering) -> None:
    words = ["AB", "CD", "EF"]
    text = " ".join(words).translate(HEBREW)
    lines = letters.wrapped(text, letters.width("AB CD".translate(HEBREW)) + 1, 9)
    assert [line.text for line in lines] == ["DC BA".translate(HEBREW), "FE".translate(HEBREW)]
    assert all(line.right_to_left for line in lines)
