"""Which of the old encodings makes words of bytes: letters of one language, capitals only where they stand.

Every one of them makes letters of every byte; what a person typed they differ in is only likely.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

_LANGUAGES = {
    "western": "äöüßéèêëàâîïôùûçœæñáíóúìòåøãõ",
    "de": "äöüß",
    "fr": "éèêëàâîïôùûçœæ",
    "es": "áéíóúüñ",
    "pt": "ãõáéíóúâêôàç",
    "it": "àèéìòù",
    "nordic": "åäöøæéü",
    "pl": "ąćęłńóśźż",
    "cs": "áčďéěíňóřšťúůýž",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "hu": "áéíóöőúüű",
    "ro": "ăâîșțşţ",
    "hr": "čćžšđ",
    "tr": "çğıöşü",
    "baltic": "ąčęėįšųūžāčēģīķļņšūžäöüõ",
    "ru": "абвгдежзийклмнопрстуфхцчшщъыьэюяё",
    "uk": "абвгдежзийклмнопрстуфхцчшщьюяіїєґ",
    "el": "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋ",
    "he": "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    "ar": "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىءأإؤئآ",
}
_SINGLE = {
    "cp1252": "western de fr es pt it nordic",
    "mac_roman": "western de fr es pt it nordic",
    "cp850": "western de fr es pt it nordic",
    "cp1250": "pl cs sk hu ro hr",
    "iso8859_2": "pl cs sk hu ro hr",
    "cp852": "pl cs sk hu ro hr",
    "cp1254": "tr",
    "cp1257": "baltic",
    "cp1251": "ru uk",
    "koi8_r": "ru",
    "cp866": "ru",
    "cp1253": "el",
    "cp1255": "he",
    "cp1256": "ar",
}
# Of the two bytes of a character the ranges in which those stand that people use most, kana and hangul first.
_DOUBLE = {
    "cp949": rb"[\xb0-\xc8][\xa1-\xfe]",
    "cp932": rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]|\x81[\x41-\x5b]|[\x88-\x97][\x40-\xfc]",
    "euc_jp": rb"[\xa4\xa5][\xa1-\xf6]|\xa1[\xa1-\xbc]|[\xb0-\xcf][\xa1-\xfe]",
    "gb18030": rb"[\xb0-\xd7][\xa1-\xfe]|\xa3[\xa1-\xfe]",
    "big5": rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]",
}
_MIXED = 0.97
_UNCASED = 0.9
_NEVER = 2
# How often files in an encoding come in from outside, where what is in one fits several.
_RARE = {"cp1252": 1.0, "cp1250": 0.99, "cp1251": 0.98, "cp1255": 0.98, "cp1257": 0.9} | dict.fromkeys(
    ("mac_roman", "cp866", "koi8_r"), 0.97
)
_RARELY = 0.95
_SIGNS = "€–—‘’“”„…•™©®°§£«»¿¡ºª·´²³½\xa0"
_OTHER_SCRIPTS = frozenset({"ru", "el", "he", "ar"})
_CAPITALS = frozenset({"ru", "el"})


def guessed(lines: Iterable[bytes]) -> str:
    """The likeliest encoding of these lines, all of which have other bytes than ASCII."""
    text = b"\n".join(lines)
    scores = {name: _single(text, name, languages.split()) for name, languages in _SINGLE.items()}
    scores |= {name: _double(text, name, form) for name, form in _DOUBLE.items()}
    return max(scores, key=lambda name: scores[name] * _RARE.get(name, _RARELY))


def _single(text: bytes, encoding: str, languages: list[str]) -> float:
    """The share of letters beyond ASCII that one language has; each that is none in its place costs."""
    decoded = text.decode(encoding, "replace")
    beyond = re.findall(r"[^\x00-\x7f]", decoded)
    if not beyond:
        return 0
    lower = [letter.lower() for letter in beyond]
    signs = sum(letter in _SIGNS for letter in lower)
    best = max(
        sum(letter in _LANGUAGES[name] for letter in lower) * (_MIXED if name == "western" else 1)
        for name in languages
    )
    never = sum(letter == "\ufffd" or "\x80" <= letter < "\xa0" for letter in beyond)
    never += len(
        re.findall(r"(?<=[^\W\d_])[^\w\s\x00-\x7f’‘´](?=[^\W\d_])", decoded)
    )  # A sign within a word.
    never += len(re.findall(r"[€£§°©®²³½](?=[^\W\d_])", decoded))  # Or before one.
    never += sum(b > "\x7f" and b.isupper() and a.islower() for a, b in pairwise(decoded))
    if languages[0] in _OTHER_SCRIPTS:
        never += len(re.findall(r"[A-Za-z](?=[^\W\d_A-Za-z])", decoded))  # Two scripts in a word.
        if not any(letter.isupper() for letter in beyond) and languages[0] in _CAPITALS:
            best *= _UNCASED
    return (best + signs - _NEVER * never) / len(beyond)


def _double(text: bytes, encoding: str, common: bytes) -> float:
    """The share of bytes that make characters people use."""
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return 0
    high = sum(byte > 0x7F for byte in text)
    pairs = re.findall(rb"[\x81-\xfe][\x40-\xfe]", text)
    fit = sum(1 for pair in pairs if re.fullmatch(common, pair))
    spent = sum(sum(byte > 0x7F for byte in pair) for pair in pairs)
    return fit / max(1, len(pairs)) - (high - spent) / high
