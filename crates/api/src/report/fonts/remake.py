"""Makes the two typefaces of reports anew, from Noto Sans CJK (Debian: fonts-noto-cjk).

    python3 remake.py /usr/share/fonts/opentype/noto

Needs fonttools. The same source gives the same bytes.
"""

import pathlib
import sys

from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.transformPen import TransformPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection

HERE = pathlib.Path(__file__).parent


def gb2312():
    """Every character of GB 2312: 6,763 of Chinese, and its signs and letters."""
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            yield from bytes([row, cell]).decode("gb2312", "ignore")


def between(first, last):
    return {chr(code) for code in range(first, last + 1)}


LATIN = between(0x20, 0x7E) | between(0xA0, 0xFF) | set("‐‑‒–—•…€")
# The units of laboratory reports, and what stands for a character that there is not.
SCIENCE = set("−≤≥μ℃℉㎎㎏㎝㎡㏄〇✓†‡□")
# Powers and indices: the typeface has few of them, and 10⁹/L or SpO₂ must not lose theirs. Each is
# made of a small bold digit or sign, and takes the place of a Korean syllable that nobody needs.
RAISED, LOWERED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "₀₁₂₃₄₅₆₇₈₉₊₋"
PLAIN = "0123456789+−"
SPARE = "".join(chr(0xAC00 + place) for place in range(len(RAISED + LOWERED)))
# What people are called, and what they suffer from, beyond GB 2312.
NAMES = set((HERE / "names.txt").read_text().strip())
# Headings are bold, and a hospital's name if bold can write it; what people write never is.
SAID = {letter for letter in (HERE.parent / "words.rs").read_text() if letter > "~"}
HOSPITALS = set("杏林互联网大学医院附属第一二三四五六七八九十人民中省市区县州西心科儿童妇幼保健肿瘤骨口腔")


def opened(folder, weight):
    fonts = TTCollection(folder / f"NotoSansCJK-{weight}.ttc").fonts
    return next(f for f in fonts if f["name"].getDebugName(6) == f"NotoSansCJKsc-{weight}")


def subset(font, letters):
    options = Options()
    options.layout_features = []
    options.hinting = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.drop_tables += ["BASE", "DSIG", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]
    chosen = Subsetter(options)
    chosen.populate(text="".join(sorted(letters)))
    chosen.subset(font)


def add_small_digits(font, bold):
    cff, to = font["CFF "].cff[0], font.getBestCmap()
    shapes, of = bold.getGlyphSet(), bold.getBestCmap()
    for place, letter in enumerate(RAISED + LOWERED):
        plain = of[ord(PLAIN[place % len(PLAIN)])]
        glyph = to[ord(SPARE[place])]
        pen = T2CharStringPen(None, None)
        height = 330 if letter in RAISED else -130
        shapes[plain].draw(TransformPen(pen, (0.6, 0, 0, 0.6, 20, height)))
        old = cff.CharStrings[glyph]
        cff.CharStrings[glyph] = pen.getCharString(old.private, old.globalSubrs)
        font["hmtx"][glyph] = (round(shapes[plain].width * 0.6) + 40, 20)
        for table in font["cmap"].tables:
            table.cmap.pop(ord(SPARE[place]), None)
            table.cmap[ord(letter)] = glyph


if __name__ == "__main__":
    source = pathlib.Path(sys.argv[1])
    regular, bold = opened(source, "Regular"), opened(source, "Bold")
    subset(regular, set(gb2312()) | LATIN | SCIENCE | NAMES | set(SPARE))
    add_small_digits(regular, bold)
    regular.save(HERE / "NotoSansCJKsc-subset.otf")
    subset(bold, between(0x20, 0x7E) | SAID | HOSPITALS)
    bold.save(HERE / "NotoSansCJKsc-Bold-subset.otf")
