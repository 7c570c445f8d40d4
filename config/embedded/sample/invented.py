"""Names of people who do not exist, as a European shop's customer list has them, all at example.com."""

import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random  # noqa: TID251 - the caller's generator is seeded: a sample year is the same every time

NAMES = Path(__file__).with_name("names.toml")


@dataclass(frozen=True, slots=True)
class Country:
    """One table of `names.toml`. `weight` is its share of customers."""

    code: str
    language: str
    weight: int
    zones: tuple[str, ...]
    first: tuple[str, ...]
    last: tuple[str, ...]
    telephone: str


def _read() -> tuple[Country, ...]:
    table = tomllib.loads(NAMES.read_text(encoding="utf-8"))
    return tuple(
        Country(
            code,
            each["language"],
            each["weight"],
            tuple(each["zones"]),
            tuple(each["first"]),
            tuple(each["last"]),
            each["telephone"],
        )
        for code, each in table.items()
    )


LETTERS = str.maketrans(
    {
        "ø": "o",
        "Ø": "O",
        "æ": "ae",
        "Æ": "Ae",
        "ß": "ss",
        "ł": "l",
        "Ł": "L",
        "ı": "i",
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
    }
)


@dataclass(frozen=True, slots=True)
class Name:
    first_name: str
    last_name: str
    email: str
    phone: str
    language: str
    country: str
    time_zone: str


def people(chance: Random) -> Iterator[Name]:
    """People without end, each with an address nobody else has."""
    countries = _read()
    weights = [country.weight for country in countries]
    taken: set[str] = set()
    counted = dict.fromkeys((country.code for country in countries), 0)
    while True:
        country = chance.choices(countries, weights)[0]
        first, _, plain_first = chance.choice(country.first).partition("/")
        last, _, plain_last = chance.choice(country.last).partition("/")
        email = _address(chance, _ascii(plain_first or first), _ascii(plain_last or last), taken)
        phone = _telephone(country, counted[country.code]) if chance.random() < 0.4 else ""
        counted[country.code] += 1
        yield Name(first, last, email, phone, country.language, country.code, chance.choice(country.zones))


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.translate(LETTERS)).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain.lower() if letter.isalnum())


def _address(chance: Random, first: str, last: str, taken: set[str]) -> str:
    local = chance.choices(
        (f"{first}.{last}", f"{first[0]}{last}", f"{first}{last}", f"{last}.{first}"), (6, 2, 2, 1)
    )[0]
    if local in taken or chance.random() < 0.15:
        local += str(chance.randint(50, 99))
    while local in taken:
        local += str(chance.randint(0, 9))
    taken.add(local)
    return f"{local}@example.com"


def _telephone(country: Country, number: int) -> str:
    """A number from a range set aside for films and examples; where such a range is used up, none."""
    if not country.telephone:
        return ""
    made = country.telephone.format(number)
    return made if len(made) == len(country.telephone.format(0)) else ""
